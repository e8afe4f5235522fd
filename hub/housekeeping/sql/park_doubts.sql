-- Parks jobs of a lane that may have been done, whose time has been over for so long, and that nobody can look up. What
-- waits for its confirmation until an instant that lies beyond its expiry is over then.
WITH owned AS (
    SELECT term FROM lane WHERE lane_id = :lane AND term = :term FOR KEY SHARE
), late AS (
    SELECT * FROM job
    WHERE lane_id = :lane AND claimed_term = 0 AND due_at IS NOT NULL
      AND state IN ({JobState.WAITING_CONFIRMATION}, {JobState.IN_DOUBT}) AND expire_at <= now() - CAST(:beyond AS interval)
      AND (state = {JobState.IN_DOUBT} OR due_at <= now())
      AND EXISTS (SELECT 1 FROM owned)
    ORDER BY expire_at
    LIMIT :limit
    FOR UPDATE SKIP LOCKED
), moving AS (
    SELECT l.*, {JobState.IN_DOUBT} AS to_state, CAST(NULL AS timestamptz) AS to_due,
           CASE WHEN state = {JobState.WAITING_CONFIRMATION} THEN 'CONFIRMATION_OVERDUE' ELSE 'NOBODY_TO_ASK' END
             AS to_reason,
           'its time is over, and no spoke is there to look it up' AS to_message,
           provider_reference AS to_reference, result_type AS to_type, result AS to_result,
           attempt_count AS to_attempts, losses AS to_losses, true AS to_doubted, expire_at AS to_expire,
           {Cause.UNRESOLVED_DOUBT} AS letter, '' AS left_by, row_number() OVER (ORDER BY job_id) AS ordinal
    FROM late l
), {jobs/transition}
SELECT job_id FROM moved
