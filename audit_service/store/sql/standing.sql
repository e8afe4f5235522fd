-- What the rules look at: entries with one of the ids, and the entries of the attempts.
SELECT e.idx, e.id, e.leaf_hash, x.attempt, x.phase, x.tenant, x.purpose,
    x.provider, x.account, x.service, x.method
FROM log_entry e JOIN entry_ix x ON x.idx = e.idx
WHERE e.idx = ANY (ARRAY(
    SELECT idx FROM log_entry WHERE id = ANY (:ids ::uuid[])
    UNION ALL
    SELECT idx FROM entry_ix WHERE attempt = ANY (:attempts ::text[])
))
