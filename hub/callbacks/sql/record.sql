-- What became of some events of one tenant, with the alert that begins or ends by it.
WITH taken AS (
    DELETE FROM event_delivery WHERE cursor = ANY(CAST(:taken AS bigint[]))
), refused AS (
    UPDATE event_delivery d SET failures = d.failures + 1, reason = g.reason, next_at = g.next_at
    FROM unnest(
        CAST(:cursors AS bigint[]), CAST(:reasons AS text[]), CAST(:next_ats AS timestamptz[])
    ) AS g(cursor, reason, next_at)
    WHERE d.cursor = g.cursor
), gone AS (
    INSERT INTO endpoint_off (tenant, mark, since) SELECT :tenant, :mark, :now WHERE CAST(:is_gone AS boolean)
    ON CONFLICT (tenant) DO UPDATE SET mark = excluded.mark, since = excluded.since
), back AS (
    DELETE FROM endpoint_off WHERE tenant = :tenant AND CAST(:is_well AS boolean)
), ended AS (
    UPDATE alert SET ended_at = now(), changed_at = now(), change = change + 1
    WHERE alert_key = :key AND ended_at IS NULL AND CAST(:is_well AS boolean)
)
INSERT INTO alert (alert_key, name, severity, labels, summary, runbook)
SELECT :key, :name, :severity, :labels, :summary, :runbook
WHERE CAST(:has_alert AS boolean)
{alerts/alert_fires}
