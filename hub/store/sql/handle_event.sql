-- Notes what was done with an event and passes its signed confirmation on to the log.
WITH handled AS (
    UPDATE webhook_event SET handled = :handled
    WHERE lane_id = :lane AND event_id = :event_id AND handled = ''
    RETURNING job_id, confirmation
)
INSERT INTO outbox (statement_id, lane_id, job_id, envelope)
SELECT CAST(:statement_id AS uuid), CAST(:job_lane AS text), job_id, confirmation FROM handled
WHERE confirmation <> ''
ON CONFLICT DO NOTHING
