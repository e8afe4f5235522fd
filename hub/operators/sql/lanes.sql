-- All lanes with their jobs and dead letters.
SELECT l.*, COALESCE(b.waiting, 0) AS waiting, COALESCE(b.running, 0) AS running,
       COALESCE(b.unconfirmed, 0) AS unconfirmed, COALESCE(b.in_doubt, 0) AS in_doubt, b.oldest,
       COALESCE(d.letters, 0) AS letters
FROM lane l
LEFT JOIN (
    SELECT lane_id, count(*) FILTER (WHERE state IN ({NOT_BEGUN})) AS waiting,
           count(*) FILTER (WHERE claimed_term <> 0) AS running,
           count(*) FILTER (WHERE state = {JobState.WAITING_CONFIRMATION}) AS unconfirmed, count(*) FILTER (WHERE state = {JobState.IN_DOUBT}) AS in_doubt,
           EXTRACT(EPOCH FROM now() - min(due_at) FILTER (WHERE claimed_term = 0 AND due_at <= now())) AS oldest
    FROM job WHERE state <> {JobState.DEAD} GROUP BY lane_id
) AS b USING (lane_id)
LEFT JOIN (
    SELECT lane_id, count(*) AS letters FROM dead_letter WHERE left_at IS NULL GROUP BY lane_id
) AS d USING (lane_id)
WHERE l.provider <> 'hub-duty'
ORDER BY lane_id
