-- The given items of a plan that have not begun, for who runs plans now, with the statement about each. None once
-- the plan has been stopped.
owned AS (
    SELECT term FROM lane WHERE lane_id = :outbox AND term = :term FOR KEY SHARE
), given AS (
    SELECT * FROM unnest(CAST(:numbers AS integer[]), CAST(:statement_ids AS uuid[]), CAST(:envelopes AS bytea[]))
      AS g(number, statement_id, envelope)
    WHERE EXISTS (SELECT 1 FROM owned)
      AND EXISTS (SELECT 1 FROM plan p WHERE p.plan_id = CAST(:plan_id AS uuid) AND p.state = {PlanState.RUNNING})
), items AS (
    SELECT i.number, CAST(i.subject AS uuid) AS job_id, g.statement_id, g.envelope
    FROM plan_item i JOIN given g USING (number)
    WHERE i.plan_id = CAST(:plan_id AS uuid) AND i.state = {ItemState.PENDING}
    FOR UPDATE OF i
)
