-- The plans at work.
SELECT plan_id FROM plan WHERE state = {PlanState.RUNNING} ORDER BY created_at
