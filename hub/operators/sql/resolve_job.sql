-- A person says what became of a job that is parked in doubt; certainly not done: it goes on.
WITH freed AS (
    UPDATE job
    SET state = 4, due_at = now(), updated_at = now(), doubted = false,
        expire_at = GREATEST(expire_at, now() + (expire_at - created_at)), reason = 'RESOLVED_NOT_DONE', message = ''
    WHERE job_id = CAST(:job_id AS uuid) AND state = 5 AND due_at IS NULL AND claimed_term = 0
    RETURNING *
), answered AS (
    UPDATE dead_letter d SET left_at = now(), left_by = 'resolved'
    FROM freed f WHERE d.job_id = f.job_id AND d.left_at IS NULL
), stated AS (
    INSERT INTO outbox (statement_id, lane_id, job_id, envelope)
    SELECT CAST(:statement_id AS uuid), lane_id, job_id, :envelope FROM freed
)
INSERT INTO job_event (cursor, job_id, tenant, state, at, lane_id, operation, request_id, attempt_count,
                       created_at, expire_at, provider_reference, reason, message)
SELECT (CAST(CAST(pg_current_xact_id() AS text) AS bigint) << 20) + 1,
       job_id, tenant, 4, now(), lane_id, operation, request_id, attempt_count, created_at, expire_at,
       provider_reference, reason, message
FROM freed
RETURNING job_id
