-- Settles attempts: the next state, the event for Core, the evidence for the log, and where a person has to
-- look the dead letter and its alert. A row whose fencing number has moved on is left alone and missing from
-- the answer. When a job is due again is reckoned here, by the clock that the claim compares it with.
WITH owned AS (
    SELECT term FROM lane WHERE lane_id = :lane AND term = :term FOR SHARE
), given AS (
    SELECT * FROM unnest(
        CAST(:job_ids AS uuid[]), CAST(:seqs AS integer[]), CAST(:states AS smallint[]),
        CAST(:waits AS interval[]), CAST(:reasons AS text[]), CAST(:messages AS text[]),
        CAST(:references AS text[]), CAST(:result_types AS text[]), CAST(:results AS bytea[]),
        CAST(:uncounted AS integer[]), CAST(:outcomes AS text[]),
        CAST(:causes AS smallint[]), CAST(:cause_names AS text[]), CAST(:lost AS smallint[]), CAST(:doubts AS boolean[]),
        CAST(:statement_ids AS uuid[]), CAST(:envelopes AS bytea[])
    ) WITH ORDINALITY
      AS g(job_id, seq, state, wait, reason, message, reference, result_type, result, uncounted, outcome,
           cause, cause_name, lost, doubts, statement_id, envelope, ordinal)
    WHERE EXISTS (SELECT 1 FROM owned)
), held AS (
    SELECT j.job_id FROM job j JOIN given g USING (job_id)
    WHERE j.seq = g.seq AND j.claimed_term = :term
    FOR UPDATE OF j
), settled AS (
    SELECT g.ordinal, g.state AS new_state, now() + g.wait AS new_due_at, g.reason AS new_reason,
           g.message AS new_message, g.outcome, g.cause, g.cause_name, g.lost, g.doubts, g.statement_id, g.envelope,
           COALESCE(NULLIF(g.reference, ''), j.provider_reference) AS new_reference,
           COALESCE(NULLIF(g.result_type, ''), j.result_type) AS new_result_type,
           CASE WHEN g.result_type = '' THEN j.result ELSE g.result END AS new_result,
           j.attempt_count - g.uncounted AS new_attempt_count,
           j.*
    FROM held JOIN given g USING (job_id) JOIN job j USING (job_id)
), noted AS (
    UPDATE attempt a SET outcome = s.outcome, reason = s.new_reason, settled_at = now()
    FROM settled s WHERE a.job_id = s.job_id AND a.seq = s.seq
), lettered AS (
    INSERT INTO dead_letter (job_id, seq, lane_id, tenant, operation, cause, reason, alert_key)
    SELECT job_id, seq, lane_id, tenant, operation, cause, new_reason,
           'DeadLetters/' || lane_id || '/' || cause_name
    FROM settled WHERE cause <> 0
    RETURNING lane_id, alert_key
), {alerts/letters_alarmed}, stated AS (
    INSERT INTO outbox (statement_id, lane_id, job_id, envelope)
    SELECT statement_id, lane_id, job_id, envelope FROM settled WHERE envelope <> '' ORDER BY ordinal
    ON CONFLICT DO NOTHING
), announced AS (
    INSERT INTO job_event (cursor, job_id, tenant, state, at, lane_id, operation, request_id, attempt_count,
                           created_at, expire_at, provider_reference, reason, message)
    SELECT (CAST(CAST(pg_current_xact_id() AS text) AS bigint) << 20) + row_number() OVER (ORDER BY ordinal),
           job_id, tenant, new_state, now(), lane_id, operation, request_id, new_attempt_count,
           created_at, expire_at, new_reference, new_reason, new_message
    FROM settled WHERE new_state <> state
), ended AS (
    DELETE FROM job j USING settled s WHERE j.job_id = s.job_id AND s.new_state NOT IN (3, 4, 5, 8)
), kept AS (
    INSERT INTO job_done (job_id, created_at, updated_at, expire_at, attempt_count, state, lane_id, tenant,
                          operation, request_id, provider_reference, reason, message, result_type, result)
    SELECT job_id, created_at, now(), expire_at, new_attempt_count, new_state, lane_id, tenant,
           operation, request_id, new_reference, new_reason, new_message, new_result_type, new_result
    FROM settled WHERE new_state NOT IN (3, 4, 5, 8)
), going_on AS (
    UPDATE job j
    SET state = s.new_state, due_at = s.new_due_at, claimed_term = 0, updated_at = now(),
        attempt_count = s.new_attempt_count, provider_reference = s.new_reference, reason = s.new_reason,
        message = s.new_message, losses = j.losses + s.lost, doubted = j.doubted OR s.doubts, result_type = s.new_result_type, result = s.new_result
    FROM settled s WHERE j.job_id = s.job_id AND s.new_state IN (3, 4, 5, 8)
)
SELECT job_id, new_state, new_attempt_count, new_reason, new_message, new_reference, new_result_type, new_result,
       now() AS settled_at, EXISTS (
    SELECT 1 FROM webhook_event w WHERE w.job_id = settled.job_id AND w.handled = ''
) AS has_held_events
FROM settled
