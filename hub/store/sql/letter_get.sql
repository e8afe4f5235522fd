-- The newest dead letter of a job.
SELECT job_id, seq, cause, entered_at, left_at, left_by, alert_key, reason AS letter_reason
FROM dead_letter WHERE job_id = CAST(:job_id AS uuid)
ORDER BY seq DESC
LIMIT 1
