-- One step of the log, all or nothing. Nothing is inserted unless the head is still ours.
WITH head AS (
    UPDATE log_state SET size = :size, root = :root
    WHERE gen = :generation AND size = :start
    RETURNING size
), entries AS (
    INSERT INTO log_entry (idx, id, leaf_hash, envelope, received_at)
    SELECT :start + row.n - 1, row.id, row.leaf_hash, row.envelope, :time
    FROM head, unnest(:ids ::uuid[], :leaves ::bytea[], :envelopes ::bytea[])
        WITH ORDINALITY AS row (id, leaf_hash, envelope, n)
), ix AS (
    INSERT INTO entry_ix (
        idx, kind, phase, tenant, job, attempt, purpose, actor_ref,
        provider, account, service, method, outcome, t, ret
    )
    SELECT :start + row.n - 1, row.kind, row.phase, row.tenant, row.job, row.attempt, row.purpose,
        row.actor_ref, row.provider, row.account, row.service, row.method, row.outcome, row.t, row.ret
    FROM head, unnest(
        :kind ::text[], :phase ::smallint[], :tenant ::text[], :job ::uuid[], :attempt ::text[],
        :purpose ::text[], :actor_ref ::text[], :provider ::text[], :account ::text[], :service ::text[],
        :method ::text[], :outcome ::text[], :t ::text[], :ret ::text[]
    ) WITH ORDINALITY AS row (
        kind, phase, tenant, job, attempt, purpose, actor_ref,
        provider, account, service, method, outcome, t, ret, n
    )
), tiles AS (
    INSERT INTO log_tile (level, n, hashes)
    SELECT row.level, row.n, row.hashes
    FROM head, unnest(:tile_levels ::smallint[], :tile_numbers ::bigint[], :tile_hashes ::bytea[])
        AS row (level, n, hashes)
), notes AS (
    INSERT INTO log_checkpoint (size, note)
    SELECT row.size, row.note
    FROM head, unnest(:note_sizes ::bigint[], :notes ::bytea[]) AS row (size, note)
    ON CONFLICT (size) DO NOTHING
)
SELECT size FROM head
