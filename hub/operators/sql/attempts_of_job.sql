-- The attempts of a job, oldest first.
SELECT job_id, seq, purpose, outcome, reason, claimed_at, settled_at
FROM attempt WHERE job_id = CAST(:job_id AS uuid)
ORDER BY seq
