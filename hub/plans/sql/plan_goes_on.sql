-- A row while the plan runs.
SELECT 1 FROM plan WHERE plan_id = CAST(:plan_id AS uuid) AND state = {PlanState.RUNNING}
