-- The trace context under which a job was accepted.
SELECT trace FROM job_body WHERE job_id = CAST(:job_id AS uuid)
