-- Seconds until the next job of a lane is due; null: none is waiting.
SELECT CAST(EXTRACT(EPOCH FROM min(due_at) - now()) AS double precision) AS seconds
FROM job WHERE lane_id = :lane AND claimed_term = 0 AND due_at IS NOT NULL
