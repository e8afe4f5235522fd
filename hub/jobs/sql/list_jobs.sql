-- Some jobs, newest first; the limit stands in both halves so that neither is read to its end.
SELECT found.*, b.labels, c.actor AS cancel_actor, c.reason AS cancel_reason, c.ticket AS cancel_ticket,
       EXISTS (SELECT 1 FROM outbox o WHERE o.job_id = found.job_id) AS has_open_statements
FROM (
    (SELECT job_id, state, operation, lane_id, tenant, request_id, attempt_count, created_at, updated_at,
            expire_at, due_at, provider_reference, reason, message, result_type, result
     FROM job
     WHERE tenant = :tenant AND job_id < CAST(:before AS uuid)
       AND (CAST(:states AS smallint[]) IS NULL OR state = ANY(CAST(:states AS smallint[])))
       AND (CAST(:provider AS text) = '' OR split_part(lane_id, '/', 1) = CAST(:provider AS text))
     ORDER BY job_id DESC LIMIT :limit)
    UNION ALL
    (SELECT job_id, state, operation, lane_id, tenant, request_id, attempt_count, created_at, updated_at,
            expire_at, NULL, provider_reference, reason, message, result_type, result
     FROM job_done
     WHERE tenant = :tenant AND job_id < CAST(:before AS uuid)
       AND (CAST(:states AS smallint[]) IS NULL OR state = ANY(CAST(:states AS smallint[])))
       AND (CAST(:provider AS text) = '' OR split_part(lane_id, '/', 1) = CAST(:provider AS text))
     ORDER BY job_id DESC LIMIT :limit)
) AS found
JOIN job_body b USING (job_id)
LEFT JOIN job_cancel c USING (job_id)
ORDER BY found.job_id DESC
LIMIT :limit
