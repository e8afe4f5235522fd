-- How many replicas live, and the lanes that something holds back: few rows, however many lanes there are.
SELECT r.replicas, l.lane_id, l.mode, l.breaker_state,
       CASE WHEN l.breaker_until = 'infinity' THEN 'Infinity'
            ELSE EXTRACT(EPOCH FROM l.breaker_until - now()) END::double precision AS open_seconds,
       EXTRACT(EPOCH FROM l.throttled_until - now())::double precision AS throttled_seconds
FROM (SELECT count(*) AS replicas FROM replica WHERE seen_at > now() - CAST(:lease AS interval)) AS r
LEFT JOIN lane l
    ON l.mode <> {LaneMode.WORKING} OR l.breaker_state <> {BreakerState.CLOSED} OR l.throttled_until > now()
