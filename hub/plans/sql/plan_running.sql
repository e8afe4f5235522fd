-- The plans at work.
SELECT plan_id FROM plan WHERE state = 2 ORDER BY created_at
