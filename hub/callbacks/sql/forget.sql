-- Drops what is on its way to a tenant that has no endpoint any more, and ends its alert.
WITH dropped AS (
    DELETE FROM event_delivery WHERE tenant = :tenant
), back AS (
    DELETE FROM endpoint_off WHERE tenant = :tenant
)
UPDATE alert SET ended_at = now(), changed_at = now(), change = change + 1
WHERE alert_key = :key AND ended_at IS NULL
