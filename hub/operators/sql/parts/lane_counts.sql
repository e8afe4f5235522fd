-- The jobs of lanes by where they stand, and their open dead letters, as the counts have them: a doubt that is parked
-- is a letter.
jobs_counted AS (
    SELECT lane_id, CAST(sum(jobs) FILTER (WHERE state IN ({NOT_BEGUN})) AS bigint) AS waiting,
           CAST(sum(jobs) FILTER (WHERE is_claimed) AS bigint) AS running,
           CAST(sum(jobs) FILTER (WHERE state = {JobState.WAITING_CONFIRMATION}) AS bigint) AS unconfirmed,
           CAST(sum(jobs) FILTER (WHERE state = {JobState.IN_DOUBT} AND NOT is_parked) AS bigint) AS in_doubt
    FROM job_count GROUP BY lane_id
), letters_counted AS (
    SELECT lane_id, CAST(sum(letters) AS bigint) AS letters FROM letter_count GROUP BY lane_id
)
