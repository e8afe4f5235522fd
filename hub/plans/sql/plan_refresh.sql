-- Gives the items under way the results of their jobs.
UPDATE plan_item i
SET state = CASE WHEN found.state = {JobState.SUCCEEDED} THEN {ItemState.SUCCEEDED} ELSE {ItemState.FAILED} END,
    detail = CASE WHEN found.state = {JobState.SUCCEEDED} THEN '' ELSE found.detail END,
    updated_at = now()
FROM (
    SELECT d.job_id, d.state,
           CASE d.state WHEN {JobState.DECLINED} THEN 'DECLINED' WHEN {JobState.CANCELLED} THEN 'CANCELLED' ELSE 'EXPIRED' END AS detail
    FROM job_done d JOIN plan_item p ON p.job_id = d.job_id
    WHERE p.plan_id = CAST(:plan_id AS uuid) AND p.state = {ItemState.STARTED}
    UNION ALL
    SELECT j.job_id, j.state, CASE j.state WHEN {JobState.DEAD} THEN 'DEAD' ELSE 'IN_DOUBT' END
    FROM job j JOIN plan_item p ON p.job_id = j.job_id
    WHERE p.plan_id = CAST(:plan_id AS uuid) AND p.state = {ItemState.STARTED}
      AND (j.state = {JobState.DEAD} OR (j.state = {JobState.IN_DOUBT} AND j.due_at IS NULL AND j.claimed_term = 0))
) AS found
WHERE i.plan_id = CAST(:plan_id AS uuid) AND i.state = {ItemState.STARTED} AND i.job_id = found.job_id
