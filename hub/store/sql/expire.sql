-- Ends jobs of a lane whose time ran out before anything was done.
WITH ended AS (
    DELETE FROM job
    WHERE lane_id = :lane AND claimed_term = 0 AND state IN (1, 4) AND expire_at <= now()
      AND EXISTS (SELECT 1 FROM lane WHERE lane_id = :lane AND term = :term FOR SHARE)
    RETURNING *
), announced AS (
    INSERT INTO job_event (cursor, job_id, tenant, state, at, lane_id, operation, request_id, attempt_count,
                           created_at, expire_at, provider_reference, reason, message)
    SELECT (CAST(CAST(pg_current_xact_id() AS text) AS bigint) << 20) + row_number() OVER (ORDER BY job_id),
           job_id, tenant, 10, now(), lane_id, operation, request_id, attempt_count,
           created_at, expire_at, provider_reference, 'EXPIRED', reason
    FROM ended
)
INSERT INTO job_done (job_id, created_at, updated_at, expire_at, attempt_count, state, lane_id, tenant,
                      operation, request_id, provider_reference, reason, message, result_type, result)
SELECT job_id, created_at, now(), expire_at, attempt_count, 10, lane_id, tenant, operation, request_id,
       provider_reference, 'EXPIRED', reason, result_type, result
FROM ended
RETURNING job_id
