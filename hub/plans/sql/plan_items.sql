-- Items of a plan, in order, after a number.
SELECT number, subject, state, detail, job_id, event_type, event_outcome, event_confirmation, event_happened_at,
       concern_kind, concern_reference, concern_units, concern_currency, updated_at
FROM plan_item
WHERE plan_id = CAST(:plan_id AS uuid) AND number > :after
  AND (CAST(:states AS smallint[]) IS NULL OR state = ANY(CAST(:states AS smallint[])))
ORDER BY number
LIMIT :limit
