-- Events after a cursor, but none that a commit still under way could come before.
SELECT e.*, COALESCE(b.labels, '{}') AS labels
FROM job_event e
LEFT JOIN job_body b USING (job_id)
WHERE e.cursor > :after AND e.tenant = :tenant
  AND (CAST(:job_id AS uuid) IS NULL OR e.job_id = CAST(:job_id AS uuid))
  AND e.cursor < (CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint) << 20)
ORDER BY e.cursor
LIMIT :limit
