-- The lanes that hold jobs which go on by themselves, or statements that the log has not confirmed. Who keeps house and
-- takes a lane for a moment does not work on it. Stranded are attempts under way, and what may have been done and is over:
-- what waits for its confirmation until an instant beyond its expiry is over then.
SELECT * FROM (
    SELECT l.lane_id, l.term, l.lease_until < now() OR starts_with(l.owner, 'hub-duty/') AS is_unowned,
           {lanes/holds_waiting} AS has_waiting,
           EXISTS (SELECT 1 FROM job j WHERE j.lane_id = l.lane_id AND j.claimed_term <> 0)
           OR EXISTS (SELECT 1 FROM job j
                      WHERE j.lane_id = l.lane_id AND j.claimed_term = 0 AND j.due_at IS NOT NULL
                        AND j.state IN ({JobState.WAITING_CONFIRMATION}, {JobState.IN_DOUBT})
                        AND j.expire_at <= now() AND (j.state = {JobState.IN_DOUBT} OR j.due_at <= now())) AS has_stranded,
           EXISTS (SELECT 1 FROM outbox o WHERE o.lane_id = l.lane_id) AS has_statements
    FROM lane l WHERE l.provider <> 'hub-duty'
) AS found
WHERE has_waiting OR has_stranded OR has_statements
ORDER BY lane_id
