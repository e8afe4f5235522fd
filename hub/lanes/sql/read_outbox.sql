-- The oldest statements of a lane that the log has not confirmed yet.
SELECT statement_id, job_id, envelope FROM outbox WHERE lane_id = :lane ORDER BY position LIMIT :limit
