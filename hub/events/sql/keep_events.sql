-- Keeps webhooks' events before they are answered; a redelivery is not kept again. With each goes the trace
-- context under which its job was accepted. All replicas insert in one order, so none waits for another in a ring.
WITH given AS (
    SELECT * FROM unnest(
        CAST(:lanes AS text[]), CAST(:event_ids AS text[]), CAST(:types AS text[]), CAST(:job_ids AS uuid[]),
        CAST(:outcomes AS bytea[]), CAST(:confirmations AS bytea[]), CAST(:happened_ats AS timestamptz[])
    ) WITH ORDINALITY AS g(lane_id, event_id, type, job_id, outcome, confirmation, happened_at, ordinal)
), kept AS (
    INSERT INTO webhook_event (lane_id, event_id, type, job_id, outcome, confirmation, happened_at, handled, has_job)
    -- What is about no job and says nothing of one waits for nothing.
    SELECT lane_id, event_id, type, job_id, outcome, confirmation, happened_at,
           CASE WHEN job_id IS NULL AND outcome = '' THEN 'noted' ELSE '' END, {events/has_job}
    FROM given g ORDER BY lane_id, event_id, ordinal
    ON CONFLICT DO NOTHING
    RETURNING lane_id, event_id
)
SELECT k.event_id IS NOT NULL
       AND g.ordinal = min(g.ordinal) OVER (PARTITION BY g.lane_id, g.event_id) AS is_new,
       b.trace
FROM given g LEFT JOIN kept k USING (lane_id, event_id) LEFT JOIN job_body b USING (job_id)
ORDER BY g.ordinal
