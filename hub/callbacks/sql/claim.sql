-- Some of a tenant's events that are due, the longest due first. Nobody else gets them for a while.
WITH due AS (
    SELECT cursor FROM event_delivery
    WHERE tenant = :tenant AND next_at <= :now
    ORDER BY next_at, cursor
    LIMIT :limit
    FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE event_delivery d SET next_at = :until
    FROM due WHERE d.cursor = due.cursor
    RETURNING d.cursor, d.since, d.failures
)
SELECT e.*, c.since, c.failures FROM claimed c JOIN provider_event e USING (cursor)
ORDER BY cursor
