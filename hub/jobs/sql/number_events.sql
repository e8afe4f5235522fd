-- Gives committed events their cursors, one statement at a time and without a gap: who reads in order of the cursor
-- never sees a later commit fall behind. Those of one job keep their order, for each drew its position while it
-- held the job. Does nothing while another replica does it.
WITH head AS (
    SELECT cursor FROM event_head WHERE stream = 'jobs' AND EXISTS (SELECT 1 FROM job_event)
    FOR UPDATE SKIP LOCKED
), taken AS (
    DELETE FROM job_event
    WHERE position IN (SELECT position FROM job_event ORDER BY position LIMIT :limit) AND EXISTS (SELECT 1 FROM head)
    RETURNING *
), numbered AS (
    INSERT INTO numbered_event (cursor, job_id, tenant, state, at, lane_id, operation, request_id, attempt_count,
                                created_at, expire_at, provider_reference, reason, message)
    SELECT head.cursor + row_number() OVER (ORDER BY position), job_id, tenant, state, at, lane_id, operation,
           request_id, attempt_count, created_at, expire_at, provider_reference, reason, message
    FROM taken, head
    RETURNING cursor
)
UPDATE event_head SET cursor = GREATEST(event_head.cursor, (SELECT max(cursor) FROM numbered))
FROM head
WHERE stream = 'jobs'
RETURNING (SELECT count(*) FROM numbered) AS numbered
