-- Events that come again and now say something, where the store holds that they said nothing: their spoke did not
-- understand them then. What said something, was of another type or about another job, stands. A batch's rows are
-- locked in the order of all who lock several.
WITH given AS (
    SELECT DISTINCT ON (lane_id, event_id) * FROM unnest(
        CAST(:lanes AS text[]), CAST(:event_ids AS text[]), CAST(:types AS text[]), CAST(:job_ids AS uuid[]),
        CAST(:outcomes AS bytea[]), CAST(:confirmations AS bytea[]), CAST(:happened_ats AS timestamptz[])
    ) WITH ORDINALITY AS g(lane_id, event_id, type, job_id, outcome, confirmation, happened_at, ordinal)
    WHERE outcome <> ''
    ORDER BY lane_id, event_id, ordinal
), silent AS (
    SELECT w.lane_id, w.event_id FROM webhook_event w JOIN given g USING (lane_id, event_id)
    WHERE {events/said_nothing}
    ORDER BY w.lane_id, w.event_id
    FOR UPDATE OF w
)
UPDATE webhook_event w
SET job_id = g.job_id, outcome = g.outcome, confirmation = g.confirmation, handled = '',
    happened_at = COALESCE(g.happened_at, w.happened_at),
    has_job = {events/has_job},
    -- It waits for its job from now on: before, it had none to wait for.
    received_at = now()
FROM given g JOIN silent USING (lane_id, event_id)
WHERE w.lane_id = g.lane_id AND w.event_id = g.event_id
RETURNING g.ordinal
