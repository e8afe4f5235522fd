-- The tenants and priorities that have work waiting in a lane, each with when its first job is due, found by one
-- step of the index each: it costs what tenants there are, not what waits. What is in doubt is not among it.
waiting_groups AS (
    (SELECT tenant, priority, due_at FROM job
     WHERE lane_id = :lane AND claimed_term = 0 AND due_at IS NOT NULL AND state <> {JobState.IN_DOUBT}
     ORDER BY tenant, priority, due_at LIMIT 1)
    UNION ALL
    SELECT n.tenant, n.priority, n.due_at FROM waiting_groups g CROSS JOIN LATERAL (
        SELECT tenant, priority, due_at FROM job
        WHERE lane_id = :lane AND claimed_term = 0 AND due_at IS NOT NULL AND state <> {JobState.IN_DOUBT}
          AND (tenant, priority) > (g.tenant, g.priority)
        ORDER BY tenant, priority, due_at LIMIT 1
    ) AS n
)
