-- Succeeded jobs that a filter which names none matches, oldest first, with the job that undoes each, if one holds.
SELECT d.job_id, d.operation, d.lane_id, d.tenant, d.provider_reference, undo.holds AS undone_by
FROM job_done d
{plans/undo}
WHERE d.state = {JobState.SUCCEEDED}
  AND {plans/succeeded_match}
ORDER BY d.job_id
LIMIT :limit
