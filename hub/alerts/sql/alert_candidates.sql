-- What a sink may have to be told: first what has started or ended, then what it was told of longest ago.
-- A sink that was never told of an alert is spared those that ended more than a day ago.
SELECT a.alert_key, a.name, a.severity, a.labels, a.summary, a.runbook, a.change, a.started_at, a.changed_at,
       a.ended_at, COALESCE(d.delivered_change, 0) AS told_change, d.delivered_start AS told_start,
       NULLIF(d.delivered_at, '-infinity') AS told_at, COALESCE(d.failures, 0) AS failures
FROM alert a LEFT JOIN alert_delivery d ON d.alert_key = a.alert_key AND d.sink = :sink
WHERE (d.next_at IS NULL OR d.next_at <= CAST(:now AS timestamptz))
  AND (:repeats OR COALESCE(d.delivered_change, 0) < a.change)
  AND (a.ended_at IS NULL OR d.delivered_change < a.change
       OR CAST(:now AS timestamptz) - a.ended_at
          < CASE WHEN d.alert_key IS NULL THEN interval '1 day' ELSE interval '5 minutes' END)
ORDER BY d.delivered_start IS NOT DISTINCT FROM a.started_at
         AND (a.ended_at IS NULL OR d.delivered_change = a.change),
         told_at NULLS FIRST, a.changed_at
LIMIT :limit
