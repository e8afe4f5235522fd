-- Writes down what a sink has taken; never that it took less than it did.
INSERT INTO alert_delivery AS d (alert_key, sink, delivered_change, delivered_start, delivered_at)
SELECT g.alert_key, :sink, g.change, g.started_at, :at
FROM unnest(CAST(:keys AS text[]), CAST(:changes AS bigint[]), CAST(:starts AS timestamptz[]))
  AS g(alert_key, change, started_at)
ORDER BY g.alert_key
ON CONFLICT (alert_key, sink) DO UPDATE
SET delivered_change = excluded.delivered_change, delivered_start = excluded.delivered_start,
    delivered_at = excluded.delivered_at, failures = 0, next_at = '-infinity'
WHERE d.delivered_change <= excluded.delivered_change
