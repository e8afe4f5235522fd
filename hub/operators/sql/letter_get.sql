-- The newest dead letter of a job.
SELECT job_id, cause, entered_at, left_at, left_by, alert_key
FROM dead_letter WHERE job_id = CAST(:job_id AS uuid)
ORDER BY seq DESC
LIMIT 1
