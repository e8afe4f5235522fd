-- Ends alerts whose cause is gone, and raises those that only time brings about. An alert whose cause has
-- just been seen is left for the next time: that cause may not be visible here yet.
WITH RECURSIVE answered AS (
    UPDATE alert SET change = change + 1, changed_at = now(), ended_at = now()
    WHERE alert_key IN (
        SELECT alert_key FROM alert
        WHERE ended_at IS NULL AND seen_at < now() - interval '2 seconds' AND (
            name = 'DeadLetters' AND NOT EXISTS (
                SELECT 1 FROM dead_letter d WHERE d.alert_key = alert.alert_key AND d.left_at IS NULL)
            OR name = 'EventsUnmatched' AND NOT EXISTS (
                SELECT 1 FROM webhook_event w
                WHERE w.handled = '' AND w.outcome <> '' AND NOT w.has_job AND w.received_at > now() - interval '1 day'
                  AND w.lane_id = substr(alert.alert_key, length('EventsUnmatched/') + 1))
            -- It was last seen when the event was handled; what has been told for a day is told no longer.
            OR name = 'EventContradicts' AND seen_at < now() - interval '1 day'
            OR name = 'StatementRefused' AND NOT EXISTS (
                SELECT 1 FROM refused_statement r WHERE r.refused_at > now() - interval '1 day')
            OR name = 'PlanStopped' AND NOT EXISTS (
                SELECT 1 FROM plan p WHERE p.state = {PlanState.STOPPED} AND alert.alert_key = 'PlanStopped/' || p.plan_id))
        FOR UPDATE SKIP LOCKED)
), lanes AS (
    (SELECT w.lane_id FROM webhook_event w
     WHERE w.handled = '' AND w.outcome <> '' AND NOT w.has_job ORDER BY w.lane_id LIMIT 1)
    UNION ALL
    SELECT (SELECT w.lane_id FROM webhook_event w
            WHERE w.handled = '' AND w.outcome <> '' AND NOT w.has_job AND w.lane_id > l.lane_id
            ORDER BY w.lane_id LIMIT 1)
    FROM lanes l WHERE l.lane_id IS NOT NULL
)
INSERT INTO alert (alert_key, name, severity, labels, summary, runbook)
SELECT 'EventsUnmatched/' || lane_id, 'EventsUnmatched', 'SEV2',
       json_build_object('provider', split_part(lane_id, '/', 1), 'account', split_part(lane_id, '/', 2))::text,
       'Events of ' || lane_id || ' belong to no job that we know', 'docs/runbooks/lost-webhooks.md'
FROM lanes l WHERE EXISTS (
    SELECT 1 FROM webhook_event w
    WHERE w.lane_id = l.lane_id AND w.handled = '' AND w.outcome <> '' AND NOT w.has_job
      AND w.received_at < now() - CAST(:patience AS interval)
      -- What has been told for a day will not find its job any more: the event stays, and is told no longer.
      AND w.received_at > now() - interval '1 day'
)
ORDER BY 1
{alerts/alert_fires}
WHERE alert.ended_at IS NOT NULL
