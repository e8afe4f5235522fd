-- Lanes with what is counted of them, and how long the first of `first_due` has been due; what is in doubt is looked for
-- by its own index.
SELECT l.*, COALESCE(c.waiting, 0) AS waiting, COALESCE(c.running, 0) AS running,
       COALESCE(c.unconfirmed, 0) AS unconfirmed, COALESCE(c.in_doubt, 0) AS in_doubt,
       COALESCE(d.letters, 0) AS letters,
       CASE WHEN due.first_at <= now() THEN EXTRACT(EPOCH FROM now() - due.first_at) END AS oldest
FROM lane l
LEFT JOIN jobs_counted c USING (lane_id)
LEFT JOIN letters_counted d USING (lane_id)
LEFT JOIN first_due f USING (lane_id)
CROSS JOIN LATERAL (
    SELECT LEAST(f.due_at, (SELECT due_at FROM job j
                            WHERE j.lane_id = l.lane_id AND claimed_term = 0 AND due_at IS NOT NULL
                              AND state = {JobState.IN_DOUBT}
                            ORDER BY due_at LIMIT 1)) AS first_at
) AS due
WHERE l.provider <> 'hub-duty'
