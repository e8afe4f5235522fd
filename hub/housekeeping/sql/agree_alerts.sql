-- Makes the alerts of some names agree with what stands: `still` are the keys of all that is so, the rest is what has
-- been so for long enough. What other replicas watch ends when none of them has seen it for a while.
WITH over AS (
    UPDATE alert SET change = change + 1, changed_at = now(), ended_at = now()
    WHERE alert_key IN (
        SELECT alert_key FROM alert WHERE ended_at IS NULL AND (
            name = ANY(CAST(:names AS text[])) AND alert_key <> ALL(CAST(:still AS text[]))
            OR name = ANY(CAST(:seen_elsewhere AS text[])) AND seen_at < now() - CAST(:silence AS interval))
        FOR UPDATE SKIP LOCKED)
)
INSERT INTO alert (alert_key, name, severity, labels, summary, runbook)
SELECT * FROM unnest(CAST(:keys AS text[]), CAST(:called AS text[]), CAST(:severities AS text[]),
                     CAST(:labels AS text[]), CAST(:summaries AS text[]), CAST(:runbooks AS text[])) AS a(alert_key)
ORDER BY alert_key
{alerts/alert_fires}
WHERE alert.ended_at IS NOT NULL
