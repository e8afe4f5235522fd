-- Moves jobs that nobody else is at work on: the one place where a job changes its state, after it was accepted and
-- but for its claim. `moving` holds each job as it stands, and where it goes: to_state, to_due, to_reason, to_message,
-- to_reference, to_type, to_result, to_attempts, to_losses, to_doubted, to_expire; letter: the cause for which a
-- person has to look, 0: none; left_by: what has answered its open dead letter, '': nothing; ordinal. A move that is
-- not in the table of transitions ends the whole statement in an error.
moved AS (
    SELECT m.*, CASE WHEN state = to_state OR (state, to_state) IN ({TRANSITIONS}) THEN to_state
                     ELSE refuse_move(job_id, state, to_state) END AS new_state,
           {CAUSE_WORD} AS cause_name,
           -- What stood while it was not done is no result of what was not done, and may hold what nobody needs now.
           CASE WHEN to_state IN ({FINAL}) AND to_state <> {JobState.SUCCEEDED} THEN '' ELSE to_type END AS kept_type,
           CASE WHEN to_state IN ({FINAL}) AND to_state <> {JobState.SUCCEEDED} THEN '' ELSE to_result END AS kept_result
    FROM moving m
), lettered AS (
    INSERT INTO dead_letter (job_id, seq, lane_id, tenant, operation, cause, reason, alert_key)
    SELECT job_id, seq, lane_id, tenant, operation, letter, to_reason, 'DeadLetters/' || lane_id || '/' || cause_name
    FROM moved WHERE letter <> 0
    ON CONFLICT (job_id, seq) DO UPDATE
    SET cause = excluded.cause, reason = excluded.reason, alert_key = excluded.alert_key, left_at = NULL,
        left_by = '', entered_at = now()
    RETURNING lane_id, alert_key
), {jobs/letters_alarmed}, answered AS (
    UPDATE dead_letter d SET left_at = now(), left_by = m.left_by
    FROM moved m WHERE d.job_id = m.job_id AND d.left_at IS NULL AND m.left_by <> ''
), announced AS (
    INSERT INTO job_event (job_id, tenant, state, at, lane_id, operation, request_id, attempt_count,
                           created_at, expire_at, provider_reference, reason, message)
    SELECT job_id, tenant, new_state, now(), lane_id, operation, request_id, to_attempts,
           created_at, to_expire, to_reference, to_reason, to_message
    FROM moved WHERE new_state <> state ORDER BY ordinal
), ended AS (
    DELETE FROM job j USING moved m WHERE j.job_id = m.job_id AND m.new_state IN ({FINAL})
), archived AS (
    INSERT INTO job_done (job_id, created_at, updated_at, expire_at, attempt_count, state, lane_id, tenant,
                          operation, request_id, provider_reference, reason, message, result_type, result)
    SELECT job_id, created_at, now(), to_expire, to_attempts, new_state, lane_id, tenant,
           operation, request_id, to_reference, to_reason, to_message, kept_type, kept_result
    FROM moved WHERE new_state IN ({FINAL})
), going_on AS (
    UPDATE job j
    SET state = m.new_state, due_at = m.to_due, claimed_term = 0, updated_at = now(), expire_at = m.to_expire,
        attempt_count = m.to_attempts, losses = m.to_losses, doubted = m.to_doubted,
        provider_reference = m.to_reference, reason = m.to_reason, message = m.to_message,
        result_type = m.kept_type, result = m.kept_result
    FROM moved m WHERE j.job_id = m.job_id AND m.new_state NOT IN ({FINAL})
)
