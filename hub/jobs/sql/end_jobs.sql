-- Ends jobs that nobody has claimed, as a webhook or a person says.
WITH given AS (
    SELECT * FROM unnest(
        CAST(:job_ids AS uuid[]), CAST(:states AS smallint[]), CAST(:reasons AS text[]), CAST(:messages AS text[]),
        CAST(:references AS text[]), CAST(:result_types AS text[]), CAST(:results AS bytea[])
    ) WITH ORDINALITY AS g(job_id, to_state, to_reason, to_message, reference, new_type, new_result, ordinal)
), moving AS (
    SELECT j.*, g.to_state, j.due_at AS to_due, g.to_reason, g.to_message,
           COALESCE(NULLIF(g.reference, ''), j.provider_reference) AS to_reference,
           CASE WHEN g.new_type = '' AND g.to_state <> {JobState.SUCCEEDED} THEN j.result_type ELSE g.new_type END
               AS to_type,
           CASE WHEN g.new_type = '' AND g.to_state <> {JobState.SUCCEEDED} THEN j.result ELSE g.new_result END
               AS to_result,
           j.attempt_count AS to_attempts, j.losses AS to_losses, j.doubted AS to_doubted, j.expire_at AS to_expire,
           0 AS letter, CAST(:left_by AS text) AS left_by, g.ordinal
    FROM job j JOIN given g USING (job_id)
    WHERE j.claimed_term = 0 AND j.state = ANY(CAST(:from_states AS smallint[]))
    FOR UPDATE OF j
), {jobs/transition}
SELECT job_id FROM moved
