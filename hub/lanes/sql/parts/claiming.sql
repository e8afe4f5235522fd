-- The jobs that are `due` become their owner's: the fencing number grows, and no other claim sees them. They
-- are named in an array: of a limit that it does not know the planner expects a tenth of all, and reads them all.
UPDATE job j
SET claimed_term = :term,
    seq = j.seq + 1,
    attempt_count = j.attempt_count + CASE WHEN j.state IN ({NOT_BEGUN}) THEN 1 ELSE 0 END,
    state = CASE WHEN j.state IN ({NOT_BEGUN}) THEN {JobState.RUNNING} ELSE j.state END,
    updated_at = now()
FROM job_body b
WHERE j.job_id = ANY(ARRAY(SELECT job_id FROM due)) AND b.job_id = j.job_id
RETURNING j.job_id, j.seq, j.state, j.attempt_count, j.tenant, j.lane_id, j.operation, j.provider_reference,
          j.created_at, j.expire_at, now() AS claimed_at, b.request_type, b.request, b.salt, b.provider_key,
          b.max_attempts, b.initial_backoff, b.max_backoff, b.actor, b.principal, b.trace,
          j.losses, j.reason, j.doubted
