-- Seconds until the next job of a lane is due; null: none is waiting.
WITH RECURSIVE {lanes/waiting_groups}
SELECT CAST(EXTRACT(EPOCH FROM LEAST(
    (SELECT min(due_at) FROM waiting_groups),
    (SELECT due_at FROM job
     WHERE lane_id = :lane AND claimed_term = 0 AND due_at IS NOT NULL AND state = {JobState.IN_DOUBT}
     ORDER BY due_at LIMIT 1)
) - now()) AS double precision) AS seconds
