-- Keeps that a job parked in doubt was not done, as one person says, with the signed statement that says so. No row: it
-- is not parked, or another such proposal still stands.
WITH parked AS (
    SELECT job_id, lane_id, seq
    FROM job
    WHERE job_id = CAST(:job_id AS uuid) AND state = {JobState.IN_DOUBT} AND due_at IS NULL AND claimed_term = 0
    FOR UPDATE
), proposed AS (
    INSERT INTO resolution_proposal AS p (job_id, seq, actor, reason, ticket, expire_at)
    SELECT job_id, seq, :actor, :reason, :ticket, now() + CAST(:within AS interval) FROM parked
    ON CONFLICT (job_id) DO UPDATE
    SET seq = excluded.seq, actor = excluded.actor, reason = excluded.reason, ticket = excluded.ticket,
        created_at = now(), expire_at = excluded.expire_at
    WHERE p.expire_at <= now() OR p.seq <> excluded.seq
    RETURNING job_id
)
INSERT INTO outbox (statement_id, lane_id, job_id, envelope)
SELECT CAST(:statement_id AS uuid), lane_id, job_id, :envelope FROM parked JOIN proposed USING (job_id)
RETURNING job_id
