-- Keeps a webhook's event before it is answered; a redelivery is not kept again.
INSERT INTO webhook_event (lane_id, event_id, type, job_id, outcome, confirmation)
VALUES (:lane, :event_id, :type, CAST(:job_id AS uuid), :outcome, :confirmation)
ON CONFLICT DO NOTHING
RETURNING event_id
