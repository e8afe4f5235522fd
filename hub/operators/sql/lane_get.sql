-- One lane with its jobs and dead letters: of what belongs to other lanes nothing but the counts is read.
WITH RECURSIVE {operators/lane_counts}, {lanes/waiting_groups}, first_due AS (
    SELECT CAST(:lane AS text) AS lane_id, min(due_at) AS due_at FROM waiting_groups
)
{operators/lane_seen} AND l.lane_id = CAST(:lane AS text)
