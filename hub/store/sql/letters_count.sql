-- Open dead letters by lane, cause and reason, the greatest group first.
SELECT d.lane_id, d.cause, d.reason, count(*) AS letters
FROM dead_letter d
WHERE d.left_at IS NULL
  AND (CAST(:provider AS text) = '' OR d.lane_id LIKE CAST(:provider AS text) || '/%')
  AND (CAST(:account AS text) = '' OR split_part(d.lane_id, '/', 2) = CAST(:account AS text))
  AND (CAST(:tenant AS text) = '' OR d.tenant = CAST(:tenant AS text))
  AND (CAST(:operation AS text) = '' OR d.operation = CAST(:operation AS text))
  AND (CAST(:reason AS text) = '' OR d.reason = CAST(:reason AS text))
  AND (CAST(:start AS timestamptz) IS NULL OR d.entered_at >= CAST(:start AS timestamptz))
  AND (CAST(:end AS timestamptz) IS NULL OR d.entered_at < CAST(:end AS timestamptz))
  AND (CAST(:job_ids AS uuid[]) IS NULL OR d.job_id = ANY(CAST(:job_ids AS uuid[])))
  AND (CAST(:cause AS smallint) = 0 OR d.cause = CAST(:cause AS smallint))
GROUP BY d.lane_id, d.cause, d.reason
ORDER BY letters DESC, d.lane_id, d.cause, d.reason
