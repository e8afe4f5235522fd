-- Whatever has just been written down by `lettered` fires an alert in the same commit.
alarmed AS (
    INSERT INTO alert (alert_key, name, severity, labels, summary, runbook)
    SELECT alert_key, 'DeadLetters', 'SEV1',
           json_build_object('provider', split_part(lane_id, '/', 1), 'account', split_part(lane_id, '/', 2),
                             'cause', cause_name)::text,
           'Jobs of ' || lane_id || ' wait for a person: ' || cause_name,
           CASE WHEN cause_name = 'unresolved_doubt' THEN 'docs/runbooks/unresolved-doubt.md'
                ELSE 'docs/runbooks/provider-down.md' END
    FROM (SELECT DISTINCT alert_key, lane_id, split_part(alert_key, '/', -1) AS cause_name FROM lettered) AS a
    ORDER BY alert_key
    {alerts/alert_fires}
)
