-- Whether the lane `l` holds jobs that go on by themselves, each half by an index of its own.
(EXISTS (SELECT 1 FROM job j
         WHERE j.lane_id = l.lane_id AND j.claimed_term = 0 AND j.due_at IS NOT NULL AND j.state <> {JobState.IN_DOUBT})
 OR EXISTS (SELECT 1 FROM job j
            WHERE j.lane_id = l.lane_id AND j.claimed_term = 0 AND j.due_at IS NOT NULL AND j.state = {JobState.IN_DOUBT}))
