-- The lanes that an operator lets take no new jobs.
SELECT lane_id FROM lane WHERE mode = {LaneMode.DRAINING}
