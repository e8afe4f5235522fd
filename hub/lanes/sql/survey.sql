-- Says that a replica lives and what it can work on; the others that live, and who owns which lane for how long. Whoever
-- has let the lease of a lane that it can work on run out does not live, however lately it was seen.
WITH {lanes/lanes_known}, beat AS (
    INSERT INTO replica (owner, lanes, seen_at) VALUES (:owner, CAST(:lanes AS text[]), now())
    ON CONFLICT (owner) DO UPDATE SET lanes = excluded.lanes, seen_at = excluded.seen_at
), gone AS (
    DELETE FROM replica WHERE owner IN (
        SELECT owner FROM replica WHERE seen_at < now() - interval '1 minute' AND owner <> :owner
        FOR UPDATE SKIP LOCKED
    )
)
SELECT owner, lanes, NULL AS lane_id, NULL AS seconds
FROM replica r WHERE seen_at > now() - CAST(:lease AS interval) AND owner <> :owner AND NOT EXISTS (
    SELECT 1 FROM lane l WHERE l.owner = r.owner AND l.lease_until < now() AND l.lane_id = ANY(r.lanes))
UNION ALL
SELECT owner, NULL, lane_id, CAST(EXTRACT(EPOCH FROM lease_until - now()) AS double precision)
FROM lane WHERE owner <> '' AND lease_until >= now()
