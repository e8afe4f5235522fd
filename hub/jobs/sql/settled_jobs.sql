-- Those of some jobs with which nothing more happens by itself.
SELECT job_id FROM job_done WHERE job_id = ANY(CAST(:job_ids AS uuid[]))
UNION ALL
SELECT job_id FROM job WHERE job_id = ANY(CAST(:job_ids AS uuid[])) AND state = ANY(CAST(:states AS smallint[]))
