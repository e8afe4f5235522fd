-- Puts dead letters back into their lanes, under the same job id and key. What may have been done is looked up
-- first, where the provider can be asked. An item whose job is no dead letter any more is skipped.
WITH {plans/items_not_begun}, revived AS (
    UPDATE job j
    SET state = CASE WHEN l.looks THEN 5 ELSE 4 END, due_at = now(), attempt_count = 0, losses = 0, reason = '',
        expire_at = GREATEST(j.expire_at, now() + (j.expire_at - j.created_at)), updated_at = now()
    FROM (
        SELECT k.job_id, i.statement_id, i.envelope, k.state AS was,
               k.doubted AND k.lane_id || '|' || k.operation = ANY(CAST(:lookable AS text[])) AS looks
        FROM items i JOIN job k USING (job_id)
        WHERE k.claimed_term = 0 AND (k.state = 8 OR (
            k.state = 5 AND k.due_at IS NULL AND k.lane_id || '|' || k.operation = ANY(CAST(:lookable AS text[]))))
        FOR UPDATE OF k
    ) AS l
    WHERE j.job_id = l.job_id
    RETURNING j.*, l.statement_id, l.envelope, l.was
), answered AS (
    UPDATE dead_letter d SET left_at = now(), left_by = 'replayed'
    FROM revived r WHERE d.job_id = r.job_id AND d.left_at IS NULL
), announced AS (
    INSERT INTO job_event (cursor, job_id, tenant, state, at, lane_id, operation, request_id, attempt_count,
                           created_at, expire_at, provider_reference, reason, message)
    SELECT (CAST(CAST(pg_current_xact_id() AS text) AS bigint) << 20) + row_number() OVER (ORDER BY job_id),
           job_id, tenant, state, now(), lane_id, operation, request_id, attempt_count,
           created_at, expire_at, provider_reference, reason, message
    FROM revived WHERE state <> was
), stated AS (
    INSERT INTO outbox (statement_id, lane_id, job_id, envelope)
    SELECT statement_id, lane_id, job_id, envelope FROM revived
)
UPDATE plan_item p
SET state = CASE WHEN r.job_id IS NULL THEN 5 ELSE 2 END,
    detail = CASE WHEN r.job_id IS NULL THEN 'NO_LONGER_DEAD' ELSE '' END,
    job_id = i.job_id, updated_at = now()
FROM items i LEFT JOIN revived r USING (job_id)
WHERE p.plan_id = CAST(:plan_id AS uuid) AND p.number = i.number
RETURNING i.job_id, r.lane_id
