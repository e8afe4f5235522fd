-- Moves a plan from one state to another, with the signed statement that says so, and an alert if it stops: anew each
-- time, since somebody has let it run in between. No row: it does not stand there.
WITH moved AS (
    UPDATE plan
    SET state = CAST(:to_state AS smallint),
        note = :note,
        approver = CASE WHEN CAST(:approver AS text) = '' THEN approver ELSE :approver END,
        approved_at = CASE WHEN CAST(:approver AS text) = '' THEN approved_at ELSE now() END,
        forgiven_done = CASE WHEN :forgives THEN done.finished ELSE forgiven_done END,
        forgiven_failed = CASE WHEN :forgives THEN done.failed ELSE forgiven_failed END
    FROM (SELECT count(*) FILTER (WHERE state IN ({ItemState.SUCCEEDED}, {ItemState.FAILED})) AS finished, count(*) FILTER (WHERE state = {ItemState.FAILED}) AS failed
          FROM plan_item WHERE plan_id = CAST(:plan_id AS uuid)) AS done
    WHERE plan_id = CAST(:plan_id AS uuid) AND state = CAST(:from_state AS smallint)
      AND (CAST(:from_state AS smallint) <> {PlanState.PREVIEWED} OR expire_at > now())
    RETURNING plan_id, state
), alarmed AS (
    INSERT INTO alert (alert_key, name, severity, labels, summary, runbook)
    SELECT 'PlanStopped/' || plan_id, 'PlanStopped', 'SEV2', json_build_object('plan', plan_id)::text,
           'A plan has stopped before its end', 'docs/runbooks/plan-stopped.md'
    FROM moved WHERE state = {PlanState.STOPPED}
    ON CONFLICT (alert_key) DO UPDATE
    SET change = alert.change + 1, changed_at = now(), seen_at = now(), ended_at = NULL, started_at = now()
), stated AS (
    INSERT INTO outbox (statement_id, lane_id, job_id, envelope)
    SELECT CAST(:statement_id AS uuid), :outbox, plan_id, :envelope FROM moved
)
SELECT plan_id FROM moved
