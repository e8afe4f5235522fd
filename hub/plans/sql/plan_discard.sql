-- Gives dead letters up. An item whose job is no dead letter any more is skipped.
WITH {plans/items_not_begun}, moving AS (
    SELECT j.*, {JobState.CANCELLED} AS to_state, j.due_at AS to_due, 'DISCARDED' AS to_reason, message AS to_message,
           provider_reference AS to_reference, result_type AS to_type, result AS to_result,
           attempt_count AS to_attempts, losses AS to_losses, doubted AS to_doubted, expire_at AS to_expire,
           0 AS letter, 'discarded' AS left_by, i.number AS ordinal, i.statement_id, i.envelope
    FROM items i JOIN job j USING (job_id)
    WHERE j.claimed_term = 0 AND j.state = {JobState.DEAD}
    FOR UPDATE OF j
), {jobs/transition}, stated AS (
    INSERT INTO outbox (statement_id, lane_id, job_id, envelope)
    SELECT statement_id, lane_id, job_id, envelope FROM moved
)
UPDATE plan_item p
SET state = CASE WHEN m.job_id IS NULL THEN {ItemState.SKIPPED} ELSE {ItemState.SUCCEEDED} END,
    detail = CASE WHEN m.job_id IS NULL THEN 'NO_LONGER_DEAD' ELSE '' END,
    job_id = i.job_id, updated_at = now()
FROM items i LEFT JOIN moved m USING (job_id)
WHERE p.plan_id = CAST(:plan_id AS uuid) AND p.number = i.number
RETURNING i.job_id, m.lane_id
