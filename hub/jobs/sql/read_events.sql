-- Events of all tenants after a cursor.
{jobs/events}
WHERE e.cursor > :after
ORDER BY e.cursor
LIMIT :limit
