-- Settles attempts: the next state, the event for Core, the evidence for the log, and where a person has to
-- look the dead letter and its alert. A row whose fencing number has moved on is left alone and missing from
-- the answer. When a job is due again is reckoned here, by the clock that the claim compares it with.
WITH owned AS (
    SELECT term FROM lane WHERE lane_id = :lane AND term = :term FOR KEY SHARE
), given AS (
    SELECT * FROM unnest(
        CAST(:job_ids AS uuid[]), CAST(:seqs AS integer[]), CAST(:states AS smallint[]),
        CAST(:waits AS interval[]), CAST(:reasons AS text[]), CAST(:messages AS text[]),
        CAST(:references AS text[]), CAST(:result_types AS text[]), CAST(:results AS bytea[]),
        CAST(:uncounted AS integer[]), CAST(:outcomes AS text[]), CAST(:causes AS smallint[]),
        CAST(:lost AS smallint[]), CAST(:doubts AS boolean[]),
        CAST(:statement_ids AS uuid[]), CAST(:envelopes AS bytea[])
    ) WITH ORDINALITY
      AS g(job_id, seq, to_state, wait, to_reason, to_message, reference, new_type, new_result, uncounted, outcome,
           letter, lost, doubts, statement_id, envelope, ordinal)
    WHERE EXISTS (SELECT 1 FROM owned)
), moving AS (
    SELECT j.*, g.to_state, now() + g.wait AS to_due, g.to_reason, g.to_message,
           COALESCE(NULLIF(g.reference, ''), j.provider_reference) AS to_reference,
           CASE WHEN g.new_type = '' AND g.to_state <> {JobState.SUCCEEDED} THEN j.result_type ELSE g.new_type END
               AS to_type,
           CASE WHEN g.new_type = '' AND g.to_state <> {JobState.SUCCEEDED} THEN j.result ELSE g.new_result END
               AS to_result,
           j.attempt_count - g.uncounted AS to_attempts, j.losses + g.lost AS to_losses,
           COALESCE(g.doubts, j.doubted) AS to_doubted, j.expire_at AS to_expire, g.letter, '' AS left_by, g.ordinal,
           g.outcome, g.statement_id, g.envelope
    FROM job j JOIN given g USING (job_id)
    WHERE j.seq = g.seq AND j.claimed_term = :term
    FOR UPDATE OF j
), {jobs/transition}, noted AS (
    UPDATE attempt a SET outcome = m.outcome, reason = m.to_reason, settled_at = now()
    FROM moved m WHERE a.job_id = m.job_id AND a.seq = m.seq
), stated AS (
    INSERT INTO outbox (statement_id, lane_id, job_id, envelope)
    SELECT statement_id, lane_id, job_id, envelope FROM moved WHERE envelope <> '' ORDER BY ordinal
    ON CONFLICT DO NOTHING
)
SELECT job_id, new_state, to_attempts, to_reason, to_message, to_reference, kept_type, kept_result,
       now() AS settled_at, EXISTS (
    SELECT 1 FROM webhook_event w WHERE w.job_id = moved.job_id AND w.handled = ''
) AS has_held_events
FROM moved
