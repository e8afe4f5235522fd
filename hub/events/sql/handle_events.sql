-- Notes what was done with events, passes their signed confirmations on to the log, and fires an alert for each job
-- that one contradicts.
WITH given AS (
    SELECT * FROM unnest(
        CAST(:lanes AS text[]), CAST(:event_ids AS text[]), CAST(:handled AS text[]), CAST(:statement_ids AS uuid[])
    ) AS g(lane_id, event_id, handled, statement_id)
), handled AS (
    UPDATE webhook_event w SET handled = g.handled
    FROM given g
    WHERE w.lane_id = g.lane_id AND w.event_id = g.event_id AND w.handled = ''
    RETURNING g.statement_id, w.lane_id, w.job_id, w.confirmation, w.handled AS word
), alarmed AS (
    INSERT INTO alert (alert_key, name, severity, labels, summary, runbook)
    SELECT 'EventContradicts/' || lane_id || '/' || job_id, 'EventContradicts', 'SEV1',
           json_build_object('provider', split_part(lane_id, '/', 1), 'account', split_part(lane_id, '/', 2),
                             'job', job_id)::text,
           'An event of ' || lane_id || ' contradicts job ' || job_id, 'docs/runbooks/event-contradicts.md'
    FROM (SELECT DISTINCT lane_id, job_id FROM handled WHERE word = 'mismatch') AS c
    ORDER BY 1
    {alerts/alert_fires}
)
INSERT INTO outbox (statement_id, lane_id, job_id, envelope)
SELECT statement_id, lane_id, job_id, confirmation FROM handled
WHERE confirmation <> ''
ON CONFLICT DO NOTHING
