-- Events of a tenant after a cursor, up to another. Compared as a row, so that no plan walks over other tenants'.
{jobs/events}
WHERE (e.tenant, e.cursor) > (:tenant, :after) AND (e.tenant, e.cursor) <= (:tenant, :upto)
ORDER BY e.tenant, e.cursor
LIMIT :limit
