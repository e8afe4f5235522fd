-- Ends jobs of a lane whose time ran out: those never tried are expired, those tried in vain are dead letters,
-- and those that an attempt may have had an effect of are looked at again first.
WITH owned AS (
    SELECT term FROM lane WHERE lane_id = :lane AND term = :term FOR SHARE
), late AS (
    SELECT job_id, CASE WHEN state = 1 THEN 'over' WHEN doubted THEN 'doubtful' ELSE 'dead' END AS fate
    FROM job
    WHERE lane_id = :lane AND claimed_term = 0 AND due_at IS NOT NULL AND state IN (1, 4) AND expire_at <= now()
      AND EXISTS (SELECT 1 FROM owned)
    LIMIT :limit
    FOR UPDATE SKIP LOCKED
), over AS (
    DELETE FROM job j USING late l WHERE j.job_id = l.job_id AND l.fate = 'over'
    RETURNING j.*
), dead AS (
    UPDATE job j SET state = 8, due_at = NULL, updated_at = now()
    FROM late l WHERE j.job_id = l.job_id AND l.fate = 'dead'
    RETURNING j.*, 'expired' AS cause_name
), doubtful AS (
    UPDATE job j SET state = 5, due_at = now(), updated_at = now()
    FROM late l WHERE j.job_id = l.job_id AND l.fate = 'doubtful'
    RETURNING j.*
), ended AS (
    SELECT job_id, tenant, 10 AS new_state, 'EXPIRED' AS new_reason, reason, lane_id, operation, request_id,
           attempt_count, created_at, expire_at, provider_reference FROM over
    UNION ALL
    SELECT job_id, tenant, 8, reason, message, lane_id, operation, request_id,
           attempt_count, created_at, expire_at, provider_reference FROM dead
    UNION ALL
    SELECT job_id, tenant, 5, reason, message, lane_id, operation, request_id,
           attempt_count, created_at, expire_at, provider_reference FROM doubtful
), lettered AS (
    INSERT INTO dead_letter (job_id, seq, lane_id, tenant, operation, cause, reason, alert_key)
    SELECT job_id, seq, lane_id, tenant, operation, 6, reason,
           'DeadLetters/' || lane_id || '/' || cause_name
    FROM dead
    ON CONFLICT (job_id, seq) DO UPDATE
    SET cause = 6, reason = excluded.reason, alert_key = excluded.alert_key, left_at = NULL, left_by = '',
        entered_at = now()
    RETURNING lane_id, alert_key
), {alerts/letters_alarmed}, announced AS (
    INSERT INTO job_event (cursor, job_id, tenant, state, at, lane_id, operation, request_id, attempt_count,
                           created_at, expire_at, provider_reference, reason, message)
    SELECT (CAST(CAST(pg_current_xact_id() AS text) AS bigint) << 20) + row_number() OVER (ORDER BY job_id),
           job_id, tenant, new_state, now(), lane_id, operation, request_id, attempt_count,
           created_at, expire_at, provider_reference, new_reason, reason
    FROM ended
), kept AS (
    INSERT INTO job_done (job_id, created_at, updated_at, expire_at, attempt_count, state, lane_id, tenant,
                          operation, request_id, provider_reference, reason, message, result_type, result)
    SELECT job_id, created_at, now(), expire_at, attempt_count, 10, lane_id, tenant, operation, request_id,
           provider_reference, 'EXPIRED', reason, result_type, result
    FROM over
)
SELECT job_id FROM ended
