-- How many unfinished jobs each tenant has in each lane; dead letters wait for a person, not for the lane.
SELECT lane_id, tenant, CAST(sum(jobs) AS bigint) AS jobs FROM job_count
WHERE state <> {JobState.DEAD}
GROUP BY lane_id, tenant HAVING sum(jobs) <> 0
