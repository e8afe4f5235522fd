-- Notes what was done with events and passes their signed confirmations on to the log.
WITH given AS (
    SELECT * FROM unnest(
        CAST(:lanes AS text[]), CAST(:event_ids AS text[]), CAST(:handled AS text[]), CAST(:statement_ids AS uuid[])
    ) AS g(lane_id, event_id, handled, statement_id)
), handled AS (
    UPDATE webhook_event w SET handled = g.handled
    FROM given g
    WHERE w.lane_id = g.lane_id AND w.event_id = g.event_id AND w.handled = ''
    RETURNING g.statement_id, w.lane_id, w.job_id, w.confirmation
)
INSERT INTO outbox (statement_id, lane_id, job_id, envelope)
SELECT statement_id, lane_id, job_id, confirmation FROM handled
WHERE confirmation <> ''
ON CONFLICT DO NOTHING
