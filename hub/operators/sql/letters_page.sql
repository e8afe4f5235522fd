-- Open dead letters that a filter which names no jobs matches, newest first, before a position.
SELECT d.job_id, d.cause, d.entered_at, d.left_at, d.left_by, d.alert_key
FROM dead_letter d
WHERE d.left_at IS NULL AND {operators/letters_before}
  AND {jobs/letters_match}
ORDER BY d.entered_at DESC, d.job_id DESC
LIMIT :limit
