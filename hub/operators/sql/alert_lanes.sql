-- Makes the alerts of lanes agree with the lanes that there are: those that a spoke offers, and those that hold a job or
-- a dead letter, whoever offers them. One that is offered again is held as it was left. Of a spoke that has not been
-- heard yet, all stand.
WITH offered AS (
    SELECT * FROM lane l
    WHERE lane_id = ANY(CAST(:lanes AS text[])) OR provider = ANY(CAST(:unheard AS text[]))
       OR {lanes/holds_waiting}
       OR EXISTS (SELECT 1 FROM job j WHERE j.lane_id = l.lane_id AND j.claimed_term <> 0)
       OR EXISTS (SELECT 1 FROM dead_letter d WHERE d.lane_id = l.lane_id AND d.left_at IS NULL)
), over AS (
    UPDATE alert SET change = change + 1, changed_at = now(), ended_at = now()
    WHERE alert_key IN (
        SELECT alert_key FROM alert
        WHERE ended_at IS NULL AND seen_at < now() - interval '2 seconds' AND (
            name = 'LaneNotWorking' AND NOT EXISTS (
                SELECT 1 FROM offered WHERE mode <> {LaneMode.WORKING} AND alert_key = 'LaneNotWorking/' || lane_id)
            OR name = 'BreakerOpen' AND NOT EXISTS (
                SELECT 1 FROM offered WHERE breaker_state <> {BreakerState.CLOSED} AND alert_key = 'BreakerOpen/' || lane_id)
            OR name = 'LaneMisconfigured' AND NOT EXISTS (
                SELECT 1 FROM offered
                WHERE breaker_state <> {BreakerState.CLOSED} AND breaker_reason = 'MISCONFIGURED'
                  AND alert_key = 'LaneMisconfigured/' || lane_id)
            OR name = 'LaneThrottled' AND NOT EXISTS (
                SELECT 1 FROM offered
                WHERE throttled_until > now() - interval '1 minute' AND alert_key = 'LaneThrottled/' || lane_id))
        FOR UPDATE SKIP LOCKED)
)
INSERT INTO alert (alert_key, name, severity, labels, summary, runbook)
SELECT 'LaneNotWorking/' || lane_id, 'LaneNotWorking', 'SEV2',
       json_build_object('provider', provider, 'account', account)::text,
       'An operator holds ' || lane_id, 'docs/runbooks/lane-not-working.md'
FROM offered WHERE mode <> {LaneMode.WORKING}
ORDER BY 1
{alerts/alert_fires}
WHERE alert.ended_at IS NOT NULL
