-- Ends an alert if whoever raised it has said for a while no more that its cause is there. No row if none ended.
UPDATE alert SET ended_at = now(), changed_at = now(), change = change + 1
WHERE alert_key = :key AND ended_at IS NULL AND seen_at < now() - CAST(:silence AS interval)
RETURNING change
