-- Writes down the lanes that jobs wait in although nobody has owned them yet: what is in none of them is not seen.
-- What is in doubt has been tried, so its lane is known.
WITH RECURSIVE found AS (
    (SELECT lane_id FROM job WHERE claimed_term = 0 AND due_at IS NOT NULL AND state <> {JobState.IN_DOUBT}
     ORDER BY lane_id LIMIT 1)
    UNION ALL
    SELECT (SELECT j.lane_id FROM job j
            WHERE j.claimed_term = 0 AND j.due_at IS NOT NULL AND j.state <> {JobState.IN_DOUBT}
              AND j.lane_id > f.lane_id ORDER BY j.lane_id LIMIT 1)
    FROM found f WHERE f.lane_id IS NOT NULL
)
INSERT INTO lane (lane_id, provider, account)
SELECT lane_id, split_part(lane_id, '/', 1), split_part(lane_id, '/', 2)
FROM found f WHERE lane_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM lane l WHERE l.lane_id = f.lane_id)
ON CONFLICT DO NOTHING
