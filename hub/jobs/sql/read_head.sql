-- The newest cursor, the history that it belongs to, and whether events wait for a cursor.
SELECT cursor, CAST(history AS text) AS history, EXISTS (SELECT 1 FROM job_event) AS is_behind
FROM event_head WHERE stream = 'jobs'
