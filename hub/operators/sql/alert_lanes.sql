-- Makes the alerts of lanes agree with the lanes that there are: nobody can do anything about one that no spoke offers
-- any more, and one that is offered again is held as it was left. Of a spoke that has not been heard yet, all stand.
WITH offered AS (
    SELECT * FROM lane
    WHERE lane_id = ANY(CAST(:lanes AS text[])) OR provider = ANY(CAST(:unheard AS text[]))
), over AS (
    UPDATE alert SET change = change + 1, changed_at = now(), ended_at = now()
    WHERE ended_at IS NULL AND seen_at < now() - interval '2 seconds' AND (
        name = 'LaneNotWorking' AND NOT EXISTS (
            SELECT 1 FROM offered WHERE mode <> {LaneMode.WORKING} AND alert_key = 'LaneNotWorking/' || lane_id)
        OR name = 'BreakerOpen' AND NOT EXISTS (
            SELECT 1 FROM offered WHERE breaker_state <> {BreakerState.CLOSED} AND alert_key = 'BreakerOpen/' || lane_id))
)
INSERT INTO alert (alert_key, name, severity, labels, summary, runbook)
SELECT 'LaneNotWorking/' || lane_id, 'LaneNotWorking', 'SEV2',
       json_build_object('provider', provider, 'account', account)::text,
       'An operator holds ' || lane_id, 'docs/runbooks/lane-not-working.md'
FROM offered WHERE mode <> {LaneMode.WORKING}
{alerts/alert_fires}
WHERE alert.ended_at IS NOT NULL
