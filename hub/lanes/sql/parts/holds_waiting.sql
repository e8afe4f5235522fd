-- Whether the lane `l` holds jobs that go on by themselves, each half by an index of its own. They are asked for in the
-- order of the index: where nearly all jobs are of one lane, the planner would look for those of another among all.
((SELECT true FROM job j
  WHERE j.lane_id = l.lane_id AND j.claimed_term = 0 AND j.due_at IS NOT NULL AND j.state <> {JobState.IN_DOUBT}
  ORDER BY j.tenant, j.priority, j.due_at LIMIT 1) IS NOT NULL
 OR EXISTS (SELECT 1 FROM job j
            WHERE j.lane_id = l.lane_id AND j.claimed_term = 0 AND j.due_at IS NOT NULL AND j.state = {JobState.IN_DOUBT}))
