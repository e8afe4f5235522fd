-- Renews the lanes that a replica owns and takes those whose lease has run out; a new owner has a new term.
WITH known AS (
    INSERT INTO lane (lane_id, provider, account)
    SELECT * FROM unnest(CAST(:lanes AS text[]), CAST(:providers AS text[]), CAST(:accounts AS text[]))
    ON CONFLICT DO NOTHING
)
UPDATE lane
SET term = CASE WHEN owner = :owner THEN term ELSE term + 1 END,
    owner = :owner,
    lease_until = now() + CAST(:lease AS interval)
WHERE lane_id = ANY(CAST(:lanes AS text[])) AND (owner = :owner OR lease_until < now())
RETURNING lane_id, term, now() AS granted_at, mode, breaker_state, breaker_reason, breaker_trips, breaker_orders,
          CASE WHEN breaker_until = 'infinity' THEN 'Infinity'
               ELSE EXTRACT(EPOCH FROM breaker_until - now()) END::double precision AS breaker_seconds,
          EXTRACT(EPOCH FROM throttled_until - now())::double precision AS throttled_seconds
