-- Those of some events of a lane that the store does not hold, holds as saying nothing although they say something, or
-- of which nobody was told whom they concern.
SELECT g.event_id
FROM unnest(
    CAST(:event_ids AS text[]), CAST(:types AS text[]), CAST(:job_ids AS uuid[]), CAST(:say_something AS boolean[]),
    CAST(:concerns AS smallint[])
) AS g(event_id, type, job_id, says_something, concern)
WHERE NOT EXISTS (
    SELECT 1 FROM webhook_event w
    WHERE w.lane_id = :lane AND w.event_id = g.event_id AND NOT (g.says_something AND {events/said_nothing}))
   OR (g.concern <> 0 AND NOT EXISTS (
    SELECT 1 FROM provider_event e WHERE e.lane_id = :lane AND e.event_id = g.event_id AND e.kind = g.concern))
