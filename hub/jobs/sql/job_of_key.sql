-- The job that an idempotency key of a tenant belongs to.
SELECT job_id FROM request_key WHERE tenant = :tenant AND request_id = :request_id
