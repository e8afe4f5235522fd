-- Claims due jobs of a lane for its owner: the fencing number grows, and no other claim sees them. Half of the room is
-- first for what is in doubt, and where there is room for one, each second claim. Then tenants take turns, whoever was
-- served longest ago first; a tenant's own jobs go by their due time, and a step of priority is worth a minute of it, so
-- that nothing waits for ever.
WITH RECURSIVE owned AS (
    SELECT term FROM lane WHERE lane_id = :lane AND term = :term AND mode <> {LaneMode.PAUSED} FOR KEY SHARE
), {lanes/waiting_groups}, doubts AS (
    SELECT job_id, due_at, row_number() OVER (ORDER BY due_at, job_id) AS turn FROM (
        SELECT job_id, due_at FROM job
        WHERE lane_id = :lane AND claimed_term = 0 AND due_at <= now() AND state = {JobState.IN_DOUBT}
        ORDER BY due_at, job_id LIMIT :limit
    ) AS d
), bulk AS (
    SELECT j.job_id, j.due_at, g.tenant, row_number() OVER (
               PARTITION BY g.tenant ORDER BY j.due_at + g.priority * interval '1 minute', j.job_id
           ) AS turn
    FROM waiting_groups g CROSS JOIN LATERAL (
        SELECT job_id, due_at FROM job
        WHERE lane_id = :lane AND claimed_term = 0 AND due_at <= now() AND state <> {JobState.IN_DOUBT}
          AND tenant = g.tenant AND priority = g.priority
          AND (state NOT IN ({NOT_BEGUN}) OR expire_at > now())
        ORDER BY due_at, job_id LIMIT :limit
    ) AS j
    WHERE g.due_at <= now()
), room AS (
    SELECT CASE WHEN CAST(:limit AS integer) > 1 THEN CAST(:limit AS integer) / 2
                WHEN (CAST(:served AS text[]))[cardinality(CAST(:served AS text[]))] = '' THEN 0 ELSE 1 END AS room
), chosen AS (
    SELECT job_id FROM (
        SELECT job_id, due_at, CASE WHEN turn <= r.room THEN 0 ELSE 2 END AS rank, turn, CAST(0 AS bigint) AS place
        FROM doubts CROSS JOIN room r
        UNION ALL
        SELECT b.job_id, b.due_at, 1, b.turn, COALESCE(s.place, 0)
        FROM bulk b LEFT JOIN unnest(CAST(:served AS text[])) WITH ORDINALITY AS s(tenant, place) USING (tenant)
    ) AS candidates
    ORDER BY rank, turn, place, due_at, job_id
    LIMIT :limit
), due AS (
    SELECT j.job_id FROM job j
    WHERE j.job_id = ANY(ARRAY(SELECT job_id FROM chosen)) AND j.claimed_term = 0 AND j.due_at <= now()
      AND EXISTS (SELECT 1 FROM owned)
    FOR UPDATE OF j SKIP LOCKED
)
{lanes/claiming}
