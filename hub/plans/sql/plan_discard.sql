-- Gives dead letters up. An item whose job is no dead letter any more is skipped.
WITH {plans/items_not_begun}, ended AS (
    DELETE FROM job j USING items i
    WHERE j.job_id = i.job_id AND j.claimed_term = 0 AND j.state = 8
    RETURNING j.*, i.statement_id, i.envelope
), answered AS (
    UPDATE dead_letter d SET left_at = now(), left_by = 'discarded'
    FROM ended e WHERE d.job_id = e.job_id AND d.left_at IS NULL
), announced AS (
    INSERT INTO job_event (cursor, job_id, tenant, state, at, lane_id, operation, request_id, attempt_count,
                           created_at, expire_at, provider_reference, reason, message)
    SELECT (CAST(CAST(pg_current_xact_id() AS text) AS bigint) << 20) + row_number() OVER (ORDER BY job_id),
           job_id, tenant, 9, now(), lane_id, operation, request_id, attempt_count,
           created_at, expire_at, provider_reference, 'DISCARDED', message
    FROM ended
), kept AS (
    INSERT INTO job_done (job_id, created_at, updated_at, expire_at, attempt_count, state, lane_id, tenant,
                          operation, request_id, provider_reference, reason, message, result_type, result)
    SELECT job_id, created_at, now(), expire_at, attempt_count, 9, lane_id, tenant, operation, request_id,
           provider_reference, 'DISCARDED', message, result_type, result
    FROM ended
), stated AS (
    INSERT INTO outbox (statement_id, lane_id, job_id, envelope)
    SELECT statement_id, lane_id, job_id, envelope FROM ended
)
UPDATE plan_item p
SET state = CASE WHEN e.job_id IS NULL THEN 5 ELSE 3 END,
    detail = CASE WHEN e.job_id IS NULL THEN 'NO_LONGER_DEAD' ELSE '' END,
    job_id = i.job_id, updated_at = now()
FROM items i LEFT JOIN ended e USING (job_id)
WHERE p.plan_id = CAST(:plan_id AS uuid) AND p.number = i.number
RETURNING i.job_id, e.lane_id
