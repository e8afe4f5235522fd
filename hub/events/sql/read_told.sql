-- What all are told after a cursor.
SELECT * FROM provider_event
WHERE cursor > :after
ORDER BY cursor
LIMIT :limit
