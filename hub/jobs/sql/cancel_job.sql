-- Withdraws a job that nothing has been done for, with who does it and why, and the signed statement that says so.
WITH moving AS (
    SELECT j.*, {JobState.CANCELLED} AS to_state, due_at AS to_due, 'CANCELLED' AS to_reason, '' AS to_message,
           provider_reference AS to_reference, result_type AS to_type, result AS to_result,
           attempt_count AS to_attempts, losses AS to_losses, doubted AS to_doubted, expire_at AS to_expire,
           0 AS letter, '' AS left_by, 1 AS ordinal
    FROM job j
    WHERE job_id = CAST(:job_id AS uuid) AND claimed_term = 0 AND state IN ({NOT_BEGUN}) AND NOT doubted
    FOR UPDATE
), {jobs/transition}, noted AS (
    INSERT INTO job_cancel (job_id, actor, reason, ticket) SELECT job_id, :actor, :reason, :ticket FROM moved
)
INSERT INTO outbox (statement_id, lane_id, job_id, envelope)
SELECT CAST(:statement_id AS uuid), lane_id, job_id, :envelope FROM moved
RETURNING job_id
