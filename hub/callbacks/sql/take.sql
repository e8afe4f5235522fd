-- Moves on from a cursor, if nobody else has, and keeps what is to be posted.
WITH moved AS (
    UPDATE event_head SET cursor = :upto
    WHERE stream = 'callbacks' AND cursor = :after
    RETURNING cursor
)
INSERT INTO event_delivery (cursor, tenant, since, next_at)
SELECT g.cursor, g.tenant, :now, :now
FROM unnest(CAST(:cursors AS bigint[]), CAST(:tenants AS text[])) AS g(cursor, tenant)
WHERE EXISTS (SELECT 1 FROM moved)
ON CONFLICT DO NOTHING
