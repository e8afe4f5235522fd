-- All lanes with their jobs and dead letters: it costs what lanes and tenants there are, not what waits.
WITH RECURSIVE {operators/lane_counts}, groups AS (
    (SELECT lane_id, tenant, priority, due_at FROM job
     WHERE claimed_term = 0 AND due_at IS NOT NULL AND state <> {JobState.IN_DOUBT}
     ORDER BY lane_id, tenant, priority, due_at LIMIT 1)
    UNION ALL
    SELECT n.* FROM groups g CROSS JOIN LATERAL (
        SELECT lane_id, tenant, priority, due_at FROM job
        WHERE claimed_term = 0 AND due_at IS NOT NULL AND state <> {JobState.IN_DOUBT}
          AND (lane_id, tenant, priority) > (g.lane_id, g.tenant, g.priority)
        ORDER BY lane_id, tenant, priority, due_at LIMIT 1
    ) AS n
), first_due AS (
    SELECT lane_id, min(due_at) AS due_at FROM groups GROUP BY lane_id
)
{operators/lane_seen}
ORDER BY lane_id
