-- One lane with its jobs and dead letters: what belongs to other lanes is not read.
SELECT l.*, b.waiting, b.running, b.unconfirmed, b.in_doubt, b.oldest,
       (SELECT count(*) FROM dead_letter d WHERE d.lane_id = l.lane_id AND d.left_at IS NULL) AS letters
FROM lane l
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE state IN ({NOT_BEGUN})) AS waiting, count(*) FILTER (WHERE claimed_term <> 0) AS running,
           count(*) FILTER (WHERE state = {JobState.WAITING_CONFIRMATION}) AS unconfirmed,
           count(*) FILTER (WHERE state = {JobState.IN_DOUBT}) AS in_doubt,
           EXTRACT(EPOCH FROM now() - min(due_at) FILTER (WHERE claimed_term = 0 AND due_at <= now())) AS oldest
    FROM (
        SELECT state, claimed_term, due_at FROM job j
        WHERE j.lane_id = l.lane_id AND claimed_term = 0 AND due_at IS NOT NULL AND state <> {JobState.IN_DOUBT}
          AND state <> {JobState.DEAD}
        UNION ALL
        SELECT state, claimed_term, due_at FROM job j
        WHERE j.lane_id = l.lane_id AND claimed_term = 0 AND due_at IS NOT NULL AND state = {JobState.IN_DOUBT}
        UNION ALL
        SELECT state, claimed_term, due_at FROM job j WHERE j.lane_id = l.lane_id AND claimed_term <> 0
        UNION ALL
        SELECT state, claimed_term, due_at FROM job j
        WHERE j.lane_id = l.lane_id AND claimed_term = 0 AND due_at IS NULL AND state <> {JobState.DEAD}
    ) AS one
) AS b
WHERE l.lane_id = CAST(:lane AS text) AND l.provider <> 'hub-duty'
