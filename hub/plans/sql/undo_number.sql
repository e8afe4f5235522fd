-- The number of the attempt that undoes a job: of the one that holds, or of the next.
SELECT COALESCE(undo.number + CASE WHEN undo.holds IS NULL THEN 1 ELSE 0 END, 1) AS number
FROM (SELECT CAST(:job_id AS uuid) AS job_id, CAST(:tenant AS text) AS tenant) AS d
{plans/undo}
