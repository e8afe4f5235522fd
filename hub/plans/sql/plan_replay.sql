-- Puts dead letters back into their lanes, under the same job id and key. What may have been done is looked up
-- first, where the provider can be asked. An item whose job is no dead letter any more is skipped.
WITH {plans/items_not_begun}, found AS (
    SELECT j.*, i.number, i.statement_id, i.envelope,
           j.lane_id || '|' || j.operation = ANY(CAST(:lookable AS text[])) AS can_look
    FROM items i JOIN job j USING (job_id)
    WHERE j.claimed_term = 0
    FOR UPDATE OF j
), moving AS (
    SELECT f.*, CASE WHEN doubted AND can_look THEN {JobState.IN_DOUBT} ELSE {JobState.RETRY_WAIT} END AS to_state,
           now() AS to_due, '' AS to_reason, message AS to_message, provider_reference AS to_reference,
           result_type AS to_type, result AS to_result, 0 AS to_attempts, 0 AS to_losses, doubted AS to_doubted,
           {jobs/another_life} AS to_expire, 0 AS letter, 'replayed' AS left_by, number AS ordinal
    FROM found f
    WHERE state = {JobState.DEAD} OR (state = {JobState.IN_DOUBT} AND due_at IS NULL AND can_look)
), {jobs/transition}, stated AS (
    INSERT INTO outbox (statement_id, lane_id, job_id, envelope)
    SELECT statement_id, lane_id, job_id, envelope FROM moved
)
UPDATE plan_item p
SET state = CASE WHEN m.job_id IS NULL THEN {ItemState.SKIPPED} ELSE {ItemState.STARTED} END,
    detail = CASE WHEN m.job_id IS NULL THEN 'NO_LONGER_DEAD' ELSE '' END,
    job_id = i.job_id, updated_at = now()
FROM items i LEFT JOIN moved m USING (job_id)
WHERE p.plan_id = CAST(:plan_id AS uuid) AND p.number = i.number
RETURNING i.job_id, m.lane_id
