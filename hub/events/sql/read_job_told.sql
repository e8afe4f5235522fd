-- What a tenant is told of one of its jobs after a cursor, up to another. Compared as a row, so that no plan walks
-- over others'.
SELECT * FROM provider_event
WHERE (job_id, cursor) > (CAST(:job_id AS uuid), :after) AND (job_id, cursor) <= (CAST(:job_id AS uuid), :upto)
  AND tenant = :tenant
ORDER BY job_id, cursor
LIMIT :limit
