-- What a tenant is told after a cursor, up to another. Compared as a row, so that no plan walks over other tenants'.
SELECT * FROM provider_event
WHERE (tenant, cursor) > (:tenant, :after) AND (tenant, cursor) <= (:tenant, :upto)
ORDER BY tenant, cursor
LIMIT :limit
