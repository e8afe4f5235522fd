-- Open dead letters that a filter which names jobs matches, oldest first: no other is read.
SELECT d.job_id, d.operation, d.lane_id, d.tenant, j.provider_reference, d.cause
FROM dead_letter d JOIN job j USING (job_id)
WHERE d.left_at IS NULL AND d.job_id = ANY(CAST(:job_ids AS uuid[]))
  AND {jobs/letters_match}
ORDER BY d.entered_at, d.job_id
LIMIT :limit
