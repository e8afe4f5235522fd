-- Raises an alert: it begins to fire, or it changes what it says. No row if nothing is new.
INSERT INTO alert AS a (alert_key, name, severity, labels, summary, runbook)
VALUES (:key, :name, :severity, :labels, :summary, :runbook)
ON CONFLICT (alert_key) DO UPDATE
SET change = a.change + 1, changed_at = now(), ended_at = NULL,
    started_at = CASE WHEN a.ended_at IS NULL THEN a.started_at ELSE now() END,
    name = excluded.name, severity = excluded.severity, labels = excluded.labels,
    summary = excluded.summary, runbook = excluded.runbook
WHERE a.ended_at IS NOT NULL
   OR (a.severity, a.summary, a.runbook) <> (excluded.severity, excluded.summary, excluded.runbook)
RETURNING a.change
