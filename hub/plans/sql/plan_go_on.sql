-- Passes over what a plan at work has under way, with the signed statement that says so. No row: it does not run.
WITH running AS (
    SELECT plan_id FROM plan WHERE plan_id = CAST(:plan_id AS uuid) AND state = {PlanState.RUNNING} FOR UPDATE
), passed AS (
    UPDATE plan_item i SET state = {ItemState.UNCONFIRMED}, detail = 'PASSED_OVER', updated_at = now()
    FROM running r WHERE i.plan_id = r.plan_id AND i.state = {ItemState.STARTED}
), stated AS (
    INSERT INTO outbox (statement_id, lane_id, job_id, envelope)
    SELECT CAST(:statement_id AS uuid), :outbox, plan_id, :envelope FROM running
)
SELECT plan_id FROM running
