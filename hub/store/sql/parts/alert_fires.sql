-- The end of an INSERT INTO alert: an alert that was there goes on firing, or fires again.
ON CONFLICT (alert_key) DO UPDATE
SET change = alert.change + 1, changed_at = now(), ended_at = NULL,
    started_at = CASE WHEN alert.ended_at IS NULL THEN alert.started_at ELSE now() END
