-- Ends one job that nobody has claimed: withdrawn by Core, or settled by a webhook or a person.
WITH ended AS (
    DELETE FROM job
    WHERE job_id = CAST(:job_id AS uuid) AND claimed_term = 0 AND state = ANY(CAST(:from_states AS smallint[]))
      AND NOT (doubted AND CAST(:state AS smallint) = 9)
    RETURNING *
), answered AS (
    UPDATE dead_letter d SET left_at = now(), left_by = :left_by
    FROM ended e WHERE d.job_id = e.job_id AND d.left_at IS NULL
), announced AS (
    INSERT INTO job_event (cursor, job_id, tenant, state, at, lane_id, operation, request_id, attempt_count,
                           created_at, expire_at, provider_reference, reason, message)
    SELECT (CAST(CAST(pg_current_xact_id() AS text) AS bigint) << 20) + 1,
           job_id, tenant, :state, now(), lane_id, operation, request_id, attempt_count, created_at, expire_at,
           COALESCE(NULLIF(CAST(:reference AS text), ''), provider_reference), :reason, :message
    FROM ended
)
INSERT INTO job_done (job_id, created_at, updated_at, expire_at, attempt_count, state, lane_id, tenant,
                      operation, request_id, provider_reference, reason, message, result_type, result)
SELECT job_id, created_at, now(), expire_at, attempt_count, :state, lane_id, tenant, operation, request_id,
       COALESCE(NULLIF(CAST(:reference AS text), ''), provider_reference), :reason, :message,
       COALESCE(NULLIF(CAST(:result_type AS text), ''), result_type),
       CASE WHEN CAST(:result_type AS text) = '' THEN result ELSE CAST(:result AS bytea) END
FROM ended
RETURNING job_id
