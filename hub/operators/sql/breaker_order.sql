-- An operator moves a lane's breaker, with the signed statement that says so and its alert. Letting a few attempts go
-- ends the provider's wait too. What a person has opened only work closes.
WITH moved AS (
    UPDATE lane
    SET breaker_state = CAST(:state AS smallint), breaker_at = now(), breaker_orders = breaker_orders + 1,
        breaker_reason = 'OPERATOR',
        breaker_by_writes = breaker_by_writes OR breaker_state = {BreakerState.CLOSED},
        throttled_until = CASE WHEN CAST(:state AS smallint) = {BreakerState.HALF_OPEN} THEN NULL ELSE throttled_until END,
        breaker_until = CASE WHEN CAST(:state AS smallint) = {BreakerState.OPEN} THEN 'infinity'::timestamptz END
    WHERE lane_id = :lane AND provider <> 'hub-duty'
    RETURNING *
), stated AS (
    INSERT INTO outbox (statement_id, lane_id, job_id, envelope)
    SELECT CAST(:statement_id AS uuid), lane_id, CAST(:statement_id AS uuid), :envelope FROM moved
), raised AS (
    INSERT INTO alert (alert_key, name, severity, labels, summary, runbook)
    SELECT 'BreakerOpen/' || lane_id, 'BreakerOpen', 'SEV1',
           json_build_object('provider', provider, 'account', account)::text,
           'The breaker of ' || lane_id || ' was opened by an operator: its jobs wait',
           'docs/runbooks/provider-down.md'
    FROM moved WHERE breaker_state = {BreakerState.OPEN}
    {alerts/alert_fires}
)
SELECT lane_id FROM moved
