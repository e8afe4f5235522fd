-- Succeeded ones of the jobs that a filter names, oldest first, with the job that undoes each, if one holds: no other is
-- read.
SELECT d.job_id, d.operation, d.lane_id, d.tenant, d.provider_reference, undo.holds AS undone_by
FROM job_done d
{plans/undo}
WHERE d.job_id = ANY(CAST(:job_ids AS uuid[])) AND d.state = {JobState.SUCCEEDED}
  AND {plans/succeeded_match}
ORDER BY d.job_id
LIMIT :limit
