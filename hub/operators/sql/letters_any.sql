-- As letters_page, also those that have left.
SELECT d.job_id, d.cause, d.entered_at, d.left_at, d.left_by, d.alert_key
FROM dead_letter d
WHERE {operators/letters_before}
  AND {jobs/letters_match}
ORDER BY d.entered_at DESC, d.job_id DESC
LIMIT :limit
