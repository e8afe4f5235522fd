-- How many unfinished jobs each tenant has in each lane; dead letters, and doubts that are parked, wait for a person and
-- not for the lane.
SELECT lane_id, tenant, CAST(sum(jobs) AS bigint) AS jobs FROM job_count
WHERE state <> {JobState.DEAD} AND NOT (state = {JobState.IN_DOUBT} AND is_parked)
GROUP BY lane_id, tenant HAVING sum(jobs) <> 0
