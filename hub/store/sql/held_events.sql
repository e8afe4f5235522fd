-- Events of a job that nothing has been done with yet, in order of their arrival. What another
-- provider says about the job does not count.
SELECT lane_id, event_id, outcome, confirmation FROM webhook_event
WHERE job_id = CAST(:job_id AS uuid) AND lane_id = :lane AND handled = ''
ORDER BY received_at, event_id
FOR UPDATE
