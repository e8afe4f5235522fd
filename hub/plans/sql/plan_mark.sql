-- Notes what became of one item that has not begun, with the signed statement that says so.
WITH owned AS (
    SELECT term FROM lane WHERE lane_id = :outbox AND term = :term FOR KEY SHARE
), marked AS (
    UPDATE plan_item
    SET state = CAST(:state AS smallint), detail = :detail, updated_at = now(),
        job_id = COALESCE(CAST(NULLIF(CAST(:job_id AS text), '') AS uuid), job_id)
    WHERE plan_id = CAST(:plan_id AS uuid) AND number = :number AND state = {ItemState.PENDING} AND EXISTS (SELECT 1 FROM owned)
    RETURNING subject
)
INSERT INTO outbox (statement_id, lane_id, job_id, envelope)
SELECT CAST(:statement_id AS uuid), :outbox, CAST(:about AS uuid), :envelope FROM marked
WHERE CAST(:envelope AS bytea) <> ''
ON CONFLICT DO NOTHING
