-- Succeeded jobs that a filter matches, oldest first, with the job that undoes each, if one holds.
SELECT d.job_id, d.operation, d.lane_id, d.tenant, d.provider_reference, undo.holds AS undone_by
FROM job_done d
{plans/undo}
WHERE d.state = {JobState.SUCCEEDED}
  AND (CAST(:provider AS text) = '' OR split_part(d.lane_id, '/', 1) = CAST(:provider AS text))
  AND (CAST(:account AS text) = '' OR split_part(d.lane_id, '/', 2) = CAST(:account AS text))
  AND (CAST(:tenant AS text) = '' OR d.tenant = CAST(:tenant AS text))
  AND (CAST(:operation AS text) = '' OR d.operation = CAST(:operation AS text))
  AND (CAST(:reason AS text) = '' OR d.reason = CAST(:reason AS text))
  AND (CAST(:start AS timestamptz) IS NULL OR d.updated_at >= CAST(:start AS timestamptz))
  AND (CAST(:end AS timestamptz) IS NULL OR d.updated_at < CAST(:end AS timestamptz))
  AND (CAST(:job_ids AS uuid[]) IS NULL OR d.job_id = ANY(CAST(:job_ids AS uuid[])))
ORDER BY d.job_id
LIMIT :limit
