-- Some jobs, wherever they stand.
SELECT found.*, b.labels, c.actor AS cancel_actor, c.reason AS cancel_reason, c.ticket AS cancel_ticket,
       EXISTS (SELECT 1 FROM outbox o WHERE o.job_id = found.job_id) AS has_open_statements
FROM (
    SELECT job_id, state, operation, lane_id, tenant, request_id, attempt_count, created_at, updated_at,
           expire_at, due_at, provider_reference, reason, message, result_type, result
    FROM job WHERE job_id = ANY(CAST(:job_ids AS uuid[]))
    UNION ALL
    SELECT job_id, state, operation, lane_id, tenant, request_id, attempt_count, created_at, updated_at,
           expire_at, NULL, provider_reference, reason, message, result_type, result
    FROM job_done WHERE job_id = ANY(CAST(:job_ids AS uuid[]))
) AS found
JOIN job_body b USING (job_id)
LEFT JOIN job_cancel c USING (job_id)
