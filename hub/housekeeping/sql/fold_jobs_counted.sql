-- Folds the rows of each group that has several into one: what reads the counts reads few rows.
WITH gone AS (
    DELETE FROM job_count
    WHERE (lane_id, tenant, state, is_claimed, is_parked) IN (
        SELECT lane_id, tenant, state, is_claimed, is_parked FROM job_count
        GROUP BY 1, 2, 3, 4, 5 HAVING count(*) > 1)
    RETURNING *
)
INSERT INTO job_count (lane_id, tenant, state, is_claimed, is_parked, jobs)
SELECT lane_id, tenant, state, is_claimed, is_parked, sum(jobs) FROM gone
GROUP BY 1, 2, 3, 4, 5 HAVING sum(jobs) <> 0
