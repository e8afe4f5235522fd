-- As fold_jobs_counted, for open dead letters.
WITH gone AS (
    DELETE FROM letter_count
    WHERE lane_id IN (SELECT lane_id FROM letter_count GROUP BY lane_id HAVING count(*) > 1)
    RETURNING *
)
INSERT INTO letter_count (lane_id, letters)
SELECT lane_id, sum(letters) FROM gone GROUP BY lane_id HAVING sum(letters) <> 0
