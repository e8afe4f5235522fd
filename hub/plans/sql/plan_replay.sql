-- Puts dead letters back into their lanes, under the same job id and key. What may have been done is looked up
-- first, where the provider can be asked; where nobody knows that yet, the item stays as it is and its spoke is named.
-- An item whose job is no dead letter any more is skipped.
WITH {plans/items_not_begun}, found AS (
    SELECT j.*, i.number, i.statement_id, i.envelope,
           j.lane_id || '|' || j.operation = ANY(CAST(:lookable AS text[])) AS can_look,
           j.lane_id || '|' || j.operation = ANY(CAST(:others AS text[])) AS can_only_be_sent,
           split_part(j.lane_id, '/', 1) = ANY(CAST(:unheard AS text[])) AS is_unheard
    FROM items i JOIN job j USING (job_id)
    WHERE j.claimed_term = 0 AND (j.state = {JobState.DEAD} OR (j.state = {JobState.IN_DOUBT} AND j.due_at IS NULL))
    FOR UPDATE OF j
), judged AS (
    SELECT f.*, CASE WHEN (state = {JobState.DEAD} AND NOT doubted) OR can_look THEN 'GOES'
                     WHEN is_unheard THEN 'WAITS'
                     WHEN state = {JobState.DEAD} AND can_only_be_sent THEN 'GOES'
                     ELSE 'NEEDS_A_PERSON' END AS verdict
    FROM found f
), moving AS (
    SELECT f.*, CASE WHEN can_look AND (doubted OR state = {JobState.IN_DOUBT}) THEN {JobState.IN_DOUBT}
                     ELSE {JobState.RETRY_WAIT} END AS to_state, now() AS to_due, '' AS to_reason,
           message AS to_message, provider_reference AS to_reference, result_type AS to_type, result AS to_result,
           0 AS to_attempts, 0 AS to_losses, doubted OR state = {JobState.IN_DOUBT} AS to_doubted,
           {jobs/another_life} AS to_expire, 0 AS letter, 'replayed' AS left_by, number AS ordinal
    FROM judged f
    WHERE verdict = 'GOES'
), {jobs/transition}, stated AS (
    INSERT INTO outbox (statement_id, lane_id, job_id, envelope)
    SELECT statement_id, lane_id, job_id, envelope FROM moved
), marked AS (
    UPDATE plan_item p
    SET state = CASE WHEN f.job_id IS NULL THEN {ItemState.SKIPPED} WHEN f.verdict = 'GOES' THEN {ItemState.STARTED}
                     ELSE {ItemState.FAILED} END,
        detail = CASE WHEN f.job_id IS NULL THEN 'NO_LONGER_DEAD' WHEN f.verdict = 'GOES' THEN '' ELSE f.verdict END,
        job_id = i.job_id, updated_at = now()
    FROM items i LEFT JOIN judged f USING (job_id)
    WHERE p.plan_id = CAST(:plan_id AS uuid) AND p.number = i.number AND f.verdict IS DISTINCT FROM 'WAITS'
)
SELECT job_id, lane_id, '' AS awaited FROM moved
UNION ALL
SELECT job_id, '', split_part(lane_id, '/', 1) FROM judged WHERE verdict = 'WAITS'
