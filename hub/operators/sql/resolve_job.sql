-- A person says of a job that is parked in doubt that it was certainly not done: it goes on. Where it takes two people,
-- another one must have said so of the same doubt, not long ago.
WITH moving AS (
    SELECT j.*, {JobState.RETRY_WAIT} AS to_state, now() AS to_due, 'RESOLVED_NOT_DONE' AS to_reason, '' AS to_message,
           provider_reference AS to_reference, result_type AS to_type, result AS to_result,
           attempt_count AS to_attempts, losses AS to_losses, false AS to_doubted, {jobs/another_life} AS to_expire,
           0 AS letter, 'resolved' AS left_by, 1 AS ordinal
    FROM job j
    WHERE job_id = CAST(:job_id AS uuid) AND state = {JobState.IN_DOUBT} AND due_at IS NULL AND claimed_term = 0
      AND (NOT CAST(:needs_two AS boolean) OR EXISTS (
          SELECT 1 FROM resolution_proposal p
          WHERE p.job_id = j.job_id AND p.seq = j.seq AND p.actor <> :actor AND p.expire_at > now()))
    FOR UPDATE OF j
), {jobs/transition}
INSERT INTO outbox (statement_id, lane_id, job_id, envelope)
SELECT CAST(:statement_id AS uuid), lane_id, job_id, :envelope FROM moved
RETURNING job_id
