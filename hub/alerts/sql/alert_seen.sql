-- Says that what an alert is about is still there. No row: it does not fire.
UPDATE alert SET seen_at = now() WHERE alert_key = :key AND ended_at IS NULL RETURNING change
