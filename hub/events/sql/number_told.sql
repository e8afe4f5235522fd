-- Gives what is told its cursors once it is committed, one statement at a time and without a gap: who reads in order
-- of the cursor never sees a later commit fall behind. Does nothing while another replica does it.
WITH head AS (
    SELECT cursor FROM event_head
    WHERE stream = 'providers' AND EXISTS (SELECT 1 FROM provider_event WHERE cursor IS NULL)
    FOR UPDATE SKIP LOCKED
), taken AS (
    -- Locked, so that what another has numbered since this statement began is not numbered again.
    SELECT position FROM provider_event
    WHERE cursor IS NULL AND EXISTS (SELECT 1 FROM head)
    ORDER BY position LIMIT :limit
    FOR UPDATE
), ranked AS (
    SELECT position, row_number() OVER (ORDER BY position) AS rank FROM taken
), numbered AS (
    UPDATE provider_event e SET cursor = head.cursor + ranked.rank
    FROM ranked, head
    WHERE e.position = ranked.position
    RETURNING e.cursor
)
UPDATE event_head SET cursor = GREATEST(event_head.cursor, (SELECT max(cursor) FROM numbered))
FROM head
WHERE stream = 'providers'
RETURNING (SELECT count(*) FROM numbered) AS numbered
