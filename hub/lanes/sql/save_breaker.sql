-- Writes down how a lane's breaker stands, for people and for the lane's next owner, and tells those on call: who has
-- to act depends on whether the provider is down or refuses us. Does nothing if an operator has moved the breaker
-- meanwhile.
WITH saved AS (
    UPDATE lane
    SET breaker_state = CAST(:state AS smallint), breaker_at = now(), breaker_reason = :reason,
        breaker_trips = :trips, breaker_by_writes = :by_writes,
        breaker_until = CASE WHEN CAST(:state AS smallint) = {BreakerState.OPEN}
                             THEN now() + make_interval(secs => CAST(:seconds AS double precision)) END
    WHERE lane_id = :lane AND term = :term AND breaker_orders = :orders
    RETURNING *, CASE WHEN breaker_reason = 'MISCONFIGURED' THEN 'LaneMisconfigured' ELSE 'BreakerOpen' END AS alert_name
), alarmed AS (
    INSERT INTO alert (alert_key, name, severity, labels, summary, runbook)
    SELECT alert_name || '/' || lane_id, alert_name, 'SEV1',
           json_build_object('provider', provider, 'account', account)::text,
           CASE WHEN alert_name = 'BreakerOpen' THEN 'The provider of ' || lane_id || ' is down: its jobs wait'
                ELSE 'The provider of ' || lane_id || ' refuses our credentials or settings: its jobs wait' END,
           CASE WHEN alert_name = 'BreakerOpen' THEN 'docs/runbooks/provider-down.md'
                ELSE 'docs/runbooks/lane-misconfigured.md' END
    FROM saved WHERE breaker_state = {BreakerState.OPEN}
    {alerts/alert_fires}
)
UPDATE alert SET change = change + 1, changed_at = now(), ended_at = now()
FROM saved
WHERE ended_at IS NULL AND alert_key IN ('BreakerOpen/' || lane_id, 'LaneMisconfigured/' || lane_id)
  AND (breaker_state = {BreakerState.CLOSED}
       OR breaker_state = {BreakerState.OPEN} AND alert_key <> alert_name || '/' || lane_id)
