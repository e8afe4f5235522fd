-- The plans at work of which no item has gone on for so long.
SELECT p.plan_id FROM plan p
WHERE p.state = {PlanState.RUNNING} AND now() - CAST(:age AS interval) > GREATEST(
    p.approved_at, (SELECT max(i.updated_at) FROM plan_item i WHERE i.plan_id = p.plan_id))
ORDER BY p.plan_id
