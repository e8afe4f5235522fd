-- What one person says of a job in the doubt in which it is parked, while another one can still confirm it.
SELECT p.actor, p.reason, p.ticket, p.created_at, p.expire_at
FROM resolution_proposal p JOIN job j USING (job_id, seq)
WHERE p.job_id = CAST(:job_id AS uuid) AND p.expire_at > now() AND j.state = {JobState.IN_DOUBT} AND j.due_at IS NULL
