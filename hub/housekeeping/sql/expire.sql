-- Ends jobs whose time ran out, of whatever lane: those never tried are expired, also where their time was found to be
-- over right before they were sent, or no spoke began what was sent to it; those tried in vain are dead letters, and
-- those that an attempt may have had an effect of are looked at again first. Whoever runs it, and however many at once:
-- a job that somebody else is just writing is left out.
WITH late AS (
    SELECT *, CASE WHEN doubted THEN {JobState.IN_DOUBT}
                   WHEN state = {JobState.QUEUED} OR (attempt_count = 0 AND reason IN ('TIME_OVER', 'NEVER_STARTED', 'FENCED'))
                     THEN {JobState.EXPIRED}
                   ELSE {JobState.DEAD} END AS to_state
    FROM job
    WHERE claimed_term = 0 AND state IN ({NOT_BEGUN}) AND expire_at <= now()
    ORDER BY expire_at
    LIMIT :limit
    FOR UPDATE SKIP LOCKED
), moving AS (
    SELECT l.*, CASE WHEN to_state = {JobState.IN_DOUBT} THEN now() END AS to_due,
           CASE WHEN to_state = {JobState.EXPIRED} THEN 'EXPIRED' ELSE reason END AS to_reason,
           CASE WHEN to_state = {JobState.EXPIRED} THEN reason ELSE message END AS to_message,
           provider_reference AS to_reference, result_type AS to_type, result AS to_result,
           attempt_count AS to_attempts, losses AS to_losses, doubted AS to_doubted, expire_at AS to_expire,
           CASE WHEN to_state = {JobState.DEAD} THEN {Cause.EXPIRED} ELSE 0 END AS letter, '' AS left_by,
           row_number() OVER (ORDER BY job_id) AS ordinal
    FROM late l
), {jobs/transition}
SELECT job_id FROM moved
