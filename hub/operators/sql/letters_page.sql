-- Dead letters that a filter matches, newest first, before a position; each with its job.
SELECT d.job_id, d.cause, d.entered_at, d.left_at, d.left_by, d.alert_key
FROM dead_letter d
WHERE (:all OR d.left_at IS NULL)
  AND (CAST(:before AS timestamptz) IS NULL
       OR (d.entered_at, d.job_id) < (CAST(:before AS timestamptz), CAST(:before_job AS uuid)))
  AND {jobs/letters_match}
ORDER BY d.entered_at DESC, d.job_id DESC
LIMIT :limit
