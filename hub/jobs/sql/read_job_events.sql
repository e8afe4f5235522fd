-- Events of one job of a tenant after a cursor, up to another. Compared as a row, so that no plan walks over others'.
{jobs/events}
WHERE (e.job_id, e.cursor) > (CAST(:job_id AS uuid), :after) AND (e.job_id, e.cursor) <= (CAST(:job_id AS uuid), :upto)
  AND e.tenant = :tenant
ORDER BY e.job_id, e.cursor
LIMIT :limit
