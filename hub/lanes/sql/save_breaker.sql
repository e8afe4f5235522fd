-- Writes down how a lane's breaker stands, for people and for the lane's next owner, and tells those on call.
-- Does nothing if an operator has moved the breaker meanwhile.
WITH saved AS (
    UPDATE lane
    SET breaker_state = CAST(:state AS smallint), breaker_at = now(), breaker_reason = :reason,
        breaker_trips = :trips,
        breaker_until = CASE WHEN CAST(:state AS smallint) = {BreakerState.OPEN}
                             THEN now() + make_interval(secs => CAST(:seconds AS double precision)) END
    WHERE lane_id = :lane AND term = :term AND breaker_orders = :orders
    RETURNING *
), alarmed AS (
    INSERT INTO alert (alert_key, name, severity, labels, summary, runbook)
    SELECT 'BreakerOpen/' || lane_id, 'BreakerOpen', 'SEV1',
           json_build_object('provider', provider, 'account', account)::text,
           'The provider of ' || lane_id || ' is down: its jobs wait', 'docs/runbooks/provider-down.md'
    FROM saved WHERE breaker_state = {BreakerState.OPEN}
    {alerts/alert_fires}
)
UPDATE alert SET change = change + 1, changed_at = now(), ended_at = now()
FROM saved
WHERE breaker_state = {BreakerState.CLOSED} AND alert_key = 'BreakerOpen/' || lane_id AND ended_at IS NULL
