-- Whether a job of ours is what an event is about. It is settled when the event is kept: a job is there before its
-- provider has heard of it, so what is nobody's then stays nobody's.
EXISTS (SELECT 1 FROM job j WHERE j.job_id = g.job_id AND j.lane_id = g.lane_id)
OR EXISTS (SELECT 1 FROM job_done d WHERE d.job_id = g.job_id AND d.lane_id = g.lane_id)
