-- The order of locks, everywhere: a lane, the items of a plan, jobs, events about them, and last alerts. Among alerts,
-- whoever raises several does so in the order of their keys; whoever ends several skips those that somebody else is just
-- writing, and finds them the next time. So nobody waits for another in a ring.
--
-- The end of an INSERT INTO alert. What fires already and says the same keeps its change, so nobody is told it again;
-- what says something else has changed, and what had ended begins anew. Either way its cause has just been seen.
ON CONFLICT (alert_key) DO UPDATE
SET change = CASE WHEN (alert.ended_at IS NULL, alert.severity, alert.summary, alert.runbook)
                     = (true, excluded.severity, excluded.summary, excluded.runbook)
                  THEN alert.change ELSE alert.change + 1 END,
    changed_at = CASE WHEN (alert.ended_at IS NULL, alert.severity, alert.summary, alert.runbook)
                         = (true, excluded.severity, excluded.summary, excluded.runbook)
                      THEN alert.changed_at ELSE now() END,
    started_at = CASE WHEN alert.ended_at IS NULL THEN alert.started_at ELSE now() END,
    seen_at = now(), ended_at = NULL, name = excluded.name, severity = excluded.severity,
    labels = excluded.labels, summary = excluded.summary, runbook = excluded.runbook
