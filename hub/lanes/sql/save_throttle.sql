-- Writes down for how long the provider wants nothing of a lane, for people and for the lane's next owner, and tells
-- those on call when it is long. It is never shortened, and not written once an operator has ended it.
WITH saved AS (
    UPDATE lane
    SET throttled_at = CASE WHEN throttled_until > now() - interval '1 minute' THEN throttled_at ELSE now() END,
        throttled_until = GREATEST(throttled_until, now() + make_interval(secs => CAST(:seconds AS double precision)))
    WHERE lane_id = :lane AND term = :term AND breaker_orders = :orders
    RETURNING *
)
INSERT INTO alert (alert_key, name, severity, labels, summary, runbook)
SELECT 'LaneThrottled/' || lane_id, 'LaneThrottled', 'SEV2',
       json_build_object('provider', provider, 'account', account)::text,
       'The provider of ' || lane_id || ' wants nothing for a long time: its jobs wait',
       'docs/runbooks/lane-throttled.md'
FROM saved WHERE throttled_until - throttled_at > interval '10 minutes'
{alerts/alert_fires}
