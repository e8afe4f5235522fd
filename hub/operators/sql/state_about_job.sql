-- States what a person has said of a job.
INSERT INTO outbox (statement_id, lane_id, job_id, envelope)
SELECT CAST(:statement_id AS uuid), lane_id, job_id, :envelope FROM job WHERE job_id = CAST(:job_id AS uuid)
