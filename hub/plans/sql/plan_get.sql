-- One plan with its counts.
SELECT p.*, i.pending, i.started, i.succeeded, i.failed, i.skipped
FROM plan p
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE state = 1) AS pending, count(*) FILTER (WHERE state = 2) AS started,
           count(*) FILTER (WHERE state = 3) AS succeeded, count(*) FILTER (WHERE state = 4) AS failed,
           count(*) FILTER (WHERE state = 5) AS skipped
    FROM plan_item WHERE plan_id = p.plan_id
) AS i
WHERE p.plan_id = CAST(:plan_id AS uuid)
