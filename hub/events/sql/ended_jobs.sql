-- The lanes of those of some jobs that have ended.
SELECT job_id, lane_id FROM job_done WHERE job_id = ANY(CAST(:job_ids AS uuid[]))
