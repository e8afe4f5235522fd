-- Writes down for how long the provider wants nothing of a lane, for the lane's next owner. It is never shortened.
UPDATE lane
SET throttled_until = GREATEST(throttled_until, now() + make_interval(secs => CAST(:seconds AS double precision)))
WHERE lane_id = :lane AND term = :term
