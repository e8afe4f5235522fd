-- What a tenant is told after a cursor, but none that a commit still under way could come before.
SELECT * FROM provider_event
WHERE tenant = :tenant AND cursor > :after
  AND cursor < {events/horizon}
ORDER BY cursor
LIMIT :limit
