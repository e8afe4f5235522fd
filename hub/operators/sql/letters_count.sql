-- Open dead letters by lane, cause and reason, the greatest group first.
SELECT d.lane_id, d.cause, d.reason, count(*) AS letters
FROM dead_letter d
WHERE d.left_at IS NULL
  AND {jobs/letters_match}
GROUP BY d.lane_id, d.cause, d.reason
ORDER BY letters DESC, d.lane_id, d.cause, d.reason
