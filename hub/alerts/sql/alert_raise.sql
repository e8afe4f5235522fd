-- Raises an alert: it begins to fire, or it changes what it says. No row if nothing is new.
INSERT INTO alert (alert_key, name, severity, labels, summary, runbook)
VALUES (:key, :name, :severity, :labels, :summary, :runbook)
{alerts/alert_fires}
WHERE alert.ended_at IS NOT NULL
   OR (alert.severity, alert.summary, alert.runbook) <> (excluded.severity, excluded.summary, excluded.runbook)
RETURNING alert.change
