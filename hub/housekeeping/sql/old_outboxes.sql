-- The lanes whose oldest statement has been on its way to the log for so long.
SELECT l.lane_id
FROM lane l CROSS JOIN LATERAL (
    SELECT stated_at FROM outbox o WHERE o.lane_id = l.lane_id ORDER BY position LIMIT 1
) AS oldest
WHERE oldest.stated_at < now() - CAST(:age AS interval)
ORDER BY l.lane_id
