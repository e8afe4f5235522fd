-- Ends jobs that nobody has claimed: withdrawn by Core, or settled by a webhook or a person.
WITH given AS (
    SELECT * FROM unnest(
        CAST(:job_ids AS uuid[]), CAST(:states AS smallint[]), CAST(:reasons AS text[]), CAST(:messages AS text[]),
        CAST(:references AS text[]), CAST(:result_types AS text[]), CAST(:results AS bytea[])
    ) WITH ORDINALITY AS g(job_id, new_state, new_reason, new_message, reference, new_type, new_result, ordinal)
), ended AS (
    DELETE FROM job j USING given g
    WHERE j.job_id = g.job_id AND j.claimed_term = 0 AND j.state = ANY(CAST(:from_states AS smallint[]))
      AND NOT (j.doubted AND g.new_state = 9)
    RETURNING j.*, g.new_state, g.new_reason, g.new_message, g.new_type, g.new_result, g.ordinal,
              COALESCE(NULLIF(g.reference, ''), j.provider_reference) AS new_reference
), answered AS (
    UPDATE dead_letter d SET left_at = now(), left_by = :left_by
    FROM ended e WHERE d.job_id = e.job_id AND d.left_at IS NULL
), announced AS (
    INSERT INTO job_event (cursor, job_id, tenant, state, at, lane_id, operation, request_id, attempt_count,
                           created_at, expire_at, provider_reference, reason, message)
    SELECT (CAST(CAST(pg_current_xact_id() AS text) AS bigint) << 20) + row_number() OVER (ORDER BY ordinal),
           job_id, tenant, new_state, now(), lane_id, operation, request_id, attempt_count, created_at, expire_at,
           new_reference, new_reason, new_message
    FROM ended
)
INSERT INTO job_done (job_id, created_at, updated_at, expire_at, attempt_count, state, lane_id, tenant,
                      operation, request_id, provider_reference, reason, message, result_type, result)
SELECT job_id, created_at, now(), expire_at, attempt_count, new_state, lane_id, tenant, operation, request_id,
       new_reference, new_reason, new_message, COALESCE(NULLIF(new_type, ''), result_type),
       CASE WHEN new_type = '' THEN result ELSE new_result END
FROM ended
RETURNING job_id
