-- What the sinks have taken of some alerts; a sink that never was tried is not there.
SELECT alert_key, sink, delivered_change AS told_change, delivered_start AS told_start,
       NULLIF(delivered_at, '-infinity') AS told_at, failures
FROM alert_delivery WHERE alert_key = ANY(CAST(:keys AS text[]))
ORDER BY alert_key, sink
