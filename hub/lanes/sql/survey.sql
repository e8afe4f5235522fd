-- Says that a replica lives and what it can work on; the others that live, and who owns which lane.
WITH {lanes/lanes_known}, beat AS (
    INSERT INTO replica (owner, lanes, seen_at) VALUES (:owner, CAST(:lanes AS text[]), now())
    ON CONFLICT (owner) DO UPDATE SET lanes = excluded.lanes, seen_at = excluded.seen_at
), gone AS (
    DELETE FROM replica WHERE owner IN (
        SELECT owner FROM replica WHERE seen_at < now() - interval '1 minute' AND owner <> :owner
        FOR UPDATE SKIP LOCKED
    )
)
SELECT owner, lanes, NULL AS lane_id FROM replica WHERE seen_at > now() - CAST(:lease AS interval) AND owner <> :owner
UNION ALL
SELECT owner, NULL, lane_id FROM lane WHERE owner <> '' AND lease_until >= now()
