-- Plans, newest first, before one.
SELECT p.*, i.pending, i.started, i.succeeded, i.failed, i.skipped, i.unconfirmed
FROM plan p
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE state = {ItemState.PENDING}) AS pending, count(*) FILTER (WHERE state = {ItemState.STARTED}) AS started,
           count(*) FILTER (WHERE state = {ItemState.SUCCEEDED}) AS succeeded, count(*) FILTER (WHERE state = {ItemState.FAILED}) AS failed,
           count(*) FILTER (WHERE state = {ItemState.SKIPPED}) AS skipped,
           count(*) FILTER (WHERE state = {ItemState.UNCONFIRMED}) AS unconfirmed
    FROM plan_item WHERE plan_id = p.plan_id
) AS i
WHERE CAST(:before AS timestamptz) IS NULL OR p.created_at < CAST(:before AS timestamptz)
ORDER BY p.created_at DESC
LIMIT :limit
