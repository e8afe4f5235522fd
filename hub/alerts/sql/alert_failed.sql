-- Writes down what a sink has not taken, and when it may be tried again.
INSERT INTO alert_delivery AS d (alert_key, sink, failures, next_at)
SELECT g.alert_key, :sink, 1, g.next_at
FROM unnest(CAST(:keys AS text[]), CAST(:next_ats AS timestamptz[])) AS g(alert_key, next_at)
ORDER BY g.alert_key
ON CONFLICT (alert_key, sink) DO UPDATE SET failures = d.failures + 1, next_at = excluded.next_at
