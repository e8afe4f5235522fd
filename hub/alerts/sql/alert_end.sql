-- Ends an alert: its cause is gone. No row if it does not fire.
UPDATE alert SET ended_at = now(), changed_at = now(), change = change + 1
WHERE alert_key = :key AND ended_at IS NULL
RETURNING change
