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
