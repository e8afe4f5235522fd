-- As letters_count, for a filter that names jobs: no other letter is read.
SELECT d.lane_id, d.cause, d.reason, count(*) AS letters
FROM dead_letter d
WHERE d.left_at IS NULL AND d.job_id = ANY(CAST(:job_ids AS uuid[]))
  AND {jobs/letters_match}
GROUP BY d.lane_id, d.cause, d.reason
ORDER BY letters DESC, d.lane_id, d.cause, d.reason
