-- Claims such due jobs of a lane as tell most about a provider that may be back: of the first that are due of each
-- tenant, work before look-ups, of each operation and tenant the one that was tried least.
WITH RECURSIVE owned AS (
    SELECT term FROM lane WHERE lane_id = :lane AND term = :term AND mode <> {LaneMode.PAUSED} FOR KEY SHARE
), {lanes/waiting_groups}, near AS (
    SELECT j.* FROM waiting_groups g CROSS JOIN LATERAL (
        SELECT job_id, state NOT IN ({NOT_BEGUN}) AS asks, operation, tenant, seq, priority, due_at FROM job
        WHERE lane_id = :lane AND claimed_term = 0 AND due_at <= now() AND state <> {JobState.IN_DOUBT}
          AND tenant = g.tenant AND priority = g.priority
          AND (state NOT IN ({NOT_BEGUN}) OR expire_at > now())
        ORDER BY due_at, job_id LIMIT 64
    ) AS j
    WHERE g.due_at <= now()
    UNION ALL (
        SELECT job_id, true, operation, tenant, seq, priority, due_at FROM job
        WHERE lane_id = :lane AND claimed_term = 0 AND due_at <= now() AND state = {JobState.IN_DOUBT}
        ORDER BY due_at, job_id LIMIT 64
    )
), turns AS (
    SELECT job_id, asks, seq, priority, due_at,
           row_number() OVER (PARTITION BY asks, operation, tenant ORDER BY seq, priority, due_at, job_id) AS turn
    FROM near
), chosen AS (
    SELECT job_id FROM turns ORDER BY asks, turn, seq, priority, due_at, job_id LIMIT :limit
), due AS (
    SELECT j.job_id FROM job j
    WHERE j.job_id = ANY(ARRAY(SELECT job_id FROM chosen)) AND j.claimed_term = 0 AND j.due_at <= now() AND EXISTS (SELECT 1 FROM owned)
    FOR UPDATE OF j SKIP LOCKED
)
{lanes/claiming}
