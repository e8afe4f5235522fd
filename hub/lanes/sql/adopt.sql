-- Takes over the attempts that an older owner of the lane had claimed.
WITH owned AS (
    SELECT term FROM lane WHERE lane_id = :lane AND term = :term FOR KEY SHARE
)
UPDATE job j
SET claimed_term = :term
FROM job_body b, attempt a
WHERE j.lane_id = :lane AND j.claimed_term NOT IN (0, :term) AND EXISTS (SELECT 1 FROM owned)
  AND b.job_id = j.job_id AND a.job_id = j.job_id AND a.seq = j.seq
RETURNING j.job_id, j.seq, j.state, j.attempt_count, j.tenant, j.lane_id, j.operation, j.provider_reference,
          j.created_at, j.expire_at, a.claimed_at, b.request_type, b.request, b.salt, b.provider_key,
          b.max_attempts, b.initial_backoff, b.max_backoff, b.actor, b.principal, b.trace,
          j.losses, j.reason, j.doubted, a.intent
