-- As letters_page, or letters_any, for a filter that names jobs: no other letter is read.
SELECT d.job_id, d.cause, d.entered_at, d.left_at, d.left_by, d.alert_key
FROM dead_letter d
WHERE d.job_id = ANY(CAST(:job_ids AS uuid[])) AND (:all OR d.left_at IS NULL)
  AND {operators/letters_before}
  AND {jobs/letters_match}
ORDER BY d.entered_at DESC, d.job_id DESC
LIMIT :limit
