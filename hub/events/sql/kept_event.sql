-- An event as it was kept.
SELECT lane_id, event_id, type, job_id, outcome, confirmation FROM webhook_event
WHERE lane_id = :lane AND event_id = :event_id
