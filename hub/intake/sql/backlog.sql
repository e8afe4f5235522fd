-- How many unfinished jobs each tenant has in each lane; dead letters wait for a person, not for the lane.
SELECT lane_id, tenant, count(*) AS jobs FROM job WHERE state <> {JobState.DEAD} GROUP BY lane_id, tenant
