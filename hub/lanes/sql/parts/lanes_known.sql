-- Writes lanes down that have not been seen before.
known AS (
    INSERT INTO lane (lane_id, provider, account)
    SELECT lane_id, split_part(lane_id, '/', 1), substr(lane_id, strpos(lane_id, '/') + 1)
    FROM unnest(CAST(:lanes AS text[])) AS n(lane_id)
    WHERE NOT EXISTS (SELECT 1 FROM lane l WHERE l.lane_id = n.lane_id)
    ON CONFLICT DO NOTHING
)
