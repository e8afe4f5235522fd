-- The last attempt to undo the job `d`: its number, and its job as `holds`, unless that has come to nothing, or the
-- provider has said later that what it did has not lasted. There is a further one only once the last has come to
-- nothing for good, so no two of them are ever alive.
LEFT JOIN LATERAL (
    WITH RECURSIVE attempted AS (
        SELECT 1 AS number, k.job_id
        FROM request_key k
        WHERE k.tenant = d.tenant AND k.request_id = CAST(:undo_key AS text) || d.job_id || ':' || 1
        UNION ALL
        SELECT a.number + 1, k.job_id
        FROM attempted a
        JOIN request_key k ON k.tenant = d.tenant AND k.request_id = CAST(:undo_key AS text) || d.job_id || ':' || (a.number + 1)
    )
    SELECT a.number, CASE WHEN nothing.job_id IS NULL THEN a.job_id END AS holds
    FROM attempted a
    LEFT JOIN job_done nothing
      ON nothing.job_id = a.job_id
      AND (nothing.state IN ({JobState.DECLINED}, {JobState.CANCELLED}, {JobState.EXPIRED})
           OR nothing.state = {JobState.SUCCEEDED} AND EXISTS (
               SELECT 1 FROM provider_event e
               WHERE e.job_id = a.job_id AND e.kind = {EventKind.CONTRADICTION} AND e.proposal = {Proposal.REPEAT}))
    ORDER BY a.number DESC
    LIMIT 1
) AS undo ON true
