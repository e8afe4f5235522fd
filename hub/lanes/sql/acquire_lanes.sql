-- Renews the lanes that a replica owns and takes those whose lease has run out; a new owner has a new term.
-- It waits for nobody. The term is a key of the lane: a renewal leaves it and goes beside claims and settlements,
-- which lock the key alone, while a lane that one of them holds cannot be taken before it has ended. An own lane
-- that somebody else changes just now is still owned; its lease is renewed the next time.
WITH {lanes/lanes_known}, own AS (
    SELECT lane_id FROM lane WHERE lane_id = ANY(CAST(:lanes AS text[])) AND owner = :owner
    FOR NO KEY UPDATE SKIP LOCKED
), free AS (
    SELECT lane_id FROM lane WHERE lane_id = ANY(CAST(:lanes AS text[])) AND owner <> :owner AND lease_until < now()
    FOR UPDATE SKIP LOCKED
), held AS (
    UPDATE lane
    SET term = CASE WHEN owner = :owner THEN term ELSE term + 1 END,
        owner = :owner,
        lease_until = now() + CAST(:lease AS interval)
    WHERE lane_id IN (SELECT lane_id FROM own UNION ALL SELECT lane_id FROM free)
    RETURNING *
)
SELECT lane_id, term, now() AS granted_at, mode, breaker_state, breaker_reason, breaker_trips, breaker_orders,
       breaker_by_writes,
       CASE WHEN breaker_until = 'infinity' THEN 'Infinity'
            ELSE EXTRACT(EPOCH FROM breaker_until - now()) END::double precision AS breaker_seconds,
       EXTRACT(EPOCH FROM throttled_until - now())::double precision AS throttled_seconds
FROM (
    SELECT * FROM held
    UNION ALL
    SELECT * FROM lane
    WHERE lane_id = ANY(CAST(:lanes AS text[])) AND owner = :owner AND lane_id NOT IN (SELECT lane_id FROM held)
) AS owned
