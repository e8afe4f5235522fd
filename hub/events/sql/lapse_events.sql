-- Lets events lapse that have been held for so long: their job will not come any more. Whoever just handles one keeps it.
UPDATE webhook_event w SET handled = 'lapsed'
FROM (
    SELECT lane_id, event_id FROM webhook_event
    WHERE handled = '' AND has_job IN (true, false) AND received_at < now() - CAST(:age AS interval)
    LIMIT :limit
    FOR UPDATE SKIP LOCKED
) AS old
WHERE w.lane_id = old.lane_id AND w.event_id = old.event_id
RETURNING w.event_id
