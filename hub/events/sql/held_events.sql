-- Events of some jobs that nothing has been done with yet, in order of their arrival. What another provider
-- says about a job does not count. They are locked in the order of all who lock several. With each goes what its
-- job asked for.
WITH held AS (
    SELECT w.lane_id, w.event_id, w.job_id, w.outcome, w.received_at FROM webhook_event w
    JOIN unnest(CAST(:job_ids AS uuid[]), CAST(:lanes AS text[])) AS j(job_id, lane_id) USING (job_id, lane_id)
    WHERE w.handled = ''
    ORDER BY w.lane_id, w.event_id
    FOR UPDATE OF w
)
SELECT lane_id, event_id, job_id, outcome, COALESCE(request_type, '') AS request_type,
       COALESCE(request, '') AS request
FROM held LEFT JOIN job_body USING (job_id)
ORDER BY received_at, event_id
