-- Jobs that an event is held for although nobody is at work on them: whoever kept it, or settled the job, has died
-- before the event was applied. Events about nobody's jobs, however many, are not looked at.
SELECT DISTINCT w.job_id, w.lane_id FROM webhook_event w
WHERE w.handled = '' AND w.has_job AND w.outcome <> '' AND w.received_at < now() - interval '2 seconds' AND (
    EXISTS (SELECT 1 FROM job j WHERE j.job_id = w.job_id AND j.lane_id = w.lane_id AND j.claimed_term = 0)
    OR EXISTS (SELECT 1 FROM job_done d WHERE d.job_id = w.job_id AND d.lane_id = w.lane_id))
LIMIT 100
