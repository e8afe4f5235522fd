-- Dead letters that a filter matches, newest first, before a position; each with its job.
SELECT d.job_id, d.seq, d.cause, d.entered_at, d.left_at, d.left_by, d.alert_key, d.reason AS letter_reason
FROM dead_letter d
WHERE (:all OR d.left_at IS NULL)
  AND (CAST(:before AS timestamptz) IS NULL
       OR (d.entered_at, d.job_id) < (CAST(:before AS timestamptz), CAST(:before_job AS uuid)))
  AND (CAST(:provider AS text) = '' OR d.lane_id LIKE CAST(:provider AS text) || '/%')
  AND (CAST(:account AS text) = '' OR split_part(d.lane_id, '/', 2) = CAST(:account AS text))
  AND (CAST(:tenant AS text) = '' OR d.tenant = CAST(:tenant AS text))
  AND (CAST(:operation AS text) = '' OR d.operation = CAST(:operation AS text))
  AND (CAST(:reason AS text) = '' OR d.reason = CAST(:reason AS text))
  AND (CAST(:start AS timestamptz) IS NULL OR d.entered_at >= CAST(:start AS timestamptz))
  AND (CAST(:end AS timestamptz) IS NULL OR d.entered_at < CAST(:end AS timestamptz))
  AND (CAST(:job_ids AS uuid[]) IS NULL OR d.job_id = ANY(CAST(:job_ids AS uuid[])))
  AND (CAST(:cause AS smallint) = 0 OR d.cause = CAST(:cause AS smallint))
ORDER BY d.entered_at DESC, d.job_id DESC
LIMIT :limit
