-- Lets a lane work, pause or drain, with the signed statement that says so and an alert while it does not work.
WITH moved AS (
    UPDATE lane SET mode = CAST(:mode AS smallint), mode_actor = :actor, mode_reason = :reason, mode_at = now()
    WHERE lane_id = :lane AND provider <> 'hub-duty'
    RETURNING *
), stated AS (
    INSERT INTO outbox (statement_id, lane_id, job_id, envelope)
    SELECT CAST(:statement_id AS uuid), lane_id, CAST(:statement_id AS uuid), :envelope FROM moved
), raised AS (
    INSERT INTO alert (alert_key, name, severity, labels, summary, runbook)
    SELECT 'LaneNotWorking/' || lane_id, 'LaneNotWorking', 'SEV2',
           json_build_object('provider', provider, 'account', account)::text,
           'An operator holds ' || lane_id, 'docs/runbooks/lane-not-working.md'
    FROM moved WHERE mode <> {LaneMode.WORKING}
    {alerts/alert_fires}
), over AS (
    UPDATE alert SET change = change + 1, changed_at = now(), ended_at = now()
    FROM moved WHERE mode = {LaneMode.WORKING} AND alert_key = 'LaneNotWorking/' || lane_id AND ended_at IS NULL
)
SELECT lane_id FROM moved
