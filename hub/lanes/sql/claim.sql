-- Claims due jobs of a lane for its owner: the fencing number grows, and no other claim sees them.
WITH owned AS (
    SELECT term FROM lane WHERE lane_id = :lane AND term = :term AND mode <> {LaneMode.PAUSED} FOR SHARE
), due AS (
    SELECT job_id FROM job
    WHERE lane_id = :lane AND claimed_term = 0 AND due_at <= now()
      AND (state NOT IN ({NOT_BEGUN}) OR expire_at > now())
      AND EXISTS (SELECT 1 FROM owned)
    ORDER BY priority, due_at, job_id
    LIMIT :limit
    FOR UPDATE SKIP LOCKED
)
UPDATE job j
SET claimed_term = :term,
    seq = j.seq + 1,
    attempt_count = j.attempt_count + CASE WHEN j.state IN ({NOT_BEGUN}) THEN 1 ELSE 0 END,
    state = CASE WHEN j.state IN ({NOT_BEGUN}) THEN {JobState.RUNNING} ELSE j.state END,
    updated_at = now()
FROM due, job_body b
WHERE j.job_id = due.job_id AND b.job_id = due.job_id
RETURNING j.job_id, j.seq, j.state, j.attempt_count, j.tenant, j.lane_id, j.operation, j.provider_reference,
          j.created_at, j.expire_at, now() AS claimed_at, b.request_type, b.request, b.salt, b.provider_key,
          b.max_attempts, b.initial_backoff, b.max_backoff, b.actor, b.principal, b.trace,
          j.losses, j.reason, j.doubted
