-- How the endpoints of a tenant, or of all tenants, stand: what waits, what was given up, and which want no more.
WITH undelivered AS (
    SELECT tenant, count(next_at) AS waiting, count(*) - count(next_at) AS given_up, min(since) AS oldest,
           (array_agg(reason ORDER BY since) FILTER (WHERE reason <> ''))[1] AS reason
    FROM event_delivery
    WHERE :tenant IN ('', tenant)
    GROUP BY tenant
), off AS (
    SELECT tenant, since AS off_at FROM endpoint_off WHERE :tenant IN ('', tenant)
)
SELECT tenant, COALESCE(waiting, 0) AS waiting, COALESCE(given_up, 0) AS given_up, oldest,
       COALESCE(reason, '') AS reason, off_at
FROM undelivered FULL JOIN off USING (tenant)
ORDER BY tenant
LIMIT :limit
