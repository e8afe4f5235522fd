-- Alerts, those that fire first, then those that changed last.
SELECT alert_key, name, severity, labels, summary, runbook, change, started_at, changed_at, ended_at
FROM alert
WHERE ended_at IS NULL OR NOT :only_firing
ORDER BY ended_at IS NOT NULL, changed_at DESC, alert_key
LIMIT :limit
