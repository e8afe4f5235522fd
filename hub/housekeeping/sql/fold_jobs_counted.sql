-- Folds the rows of each group that has several into one: what reads the counts reads few rows.
WITH gone AS (
    DELETE FROM job_count
    WHERE (lane_id, tenant, state, is_claimed) IN (
        SELECT lane_id, tenant, state, is_claimed FROM job_count GROUP BY 1, 2, 3, 4 HAVING count(*) > 1)
    RETURNING *
)
INSERT INTO job_count (lane_id, tenant, state, is_claimed, jobs)
SELECT lane_id, tenant, state, is_claimed, sum(jobs) FROM gone
GROUP BY 1, 2, 3, 4 HAVING sum(jobs) <> 0
