-- The newest cursor, the history that it belongs to, and whether what is told waits for a cursor.
SELECT cursor, CAST(history AS text) AS history,
       EXISTS (SELECT 1 FROM provider_event WHERE cursor IS NULL) AS is_behind
FROM event_head WHERE stream = 'providers'
