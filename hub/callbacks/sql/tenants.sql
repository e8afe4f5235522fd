-- Whose events are due, and of whom an alert speaks: its tenant may have no endpoint any more. It steps from tenant to
-- tenant, whatever waits for each.
WITH RECURSIVE waiting AS (
    (SELECT tenant FROM event_delivery WHERE next_at IS NOT NULL ORDER BY tenant LIMIT 1)
    UNION ALL
    SELECT (SELECT d.tenant FROM event_delivery d
            WHERE d.next_at IS NOT NULL AND d.tenant > w.tenant ORDER BY d.tenant LIMIT 1)
    FROM waiting w WHERE w.tenant IS NOT NULL
)
SELECT w.tenant FROM waiting w
WHERE EXISTS (SELECT 1 FROM event_delivery d WHERE d.tenant = w.tenant AND d.next_at <= :now)
UNION
SELECT substr(alert_key, length('EventsUndelivered/') + 1) FROM alert
WHERE name = 'EventsUndelivered' AND ended_at IS NULL
