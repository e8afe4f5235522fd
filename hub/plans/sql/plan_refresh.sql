-- Gives the items under way, of plans at work and of those that have ended, the results of their jobs. What has waited
-- too long for its confirmation is passed over, and gets its result later.
UPDATE plan_item i
SET state = CASE WHEN found.state = {JobState.SUCCEEDED} THEN {ItemState.SUCCEEDED}
                 WHEN found.state = {JobState.WAITING_CONFIRMATION} THEN {ItemState.UNCONFIRMED}
                 ELSE {ItemState.FAILED} END,
    detail = CASE WHEN found.state = {JobState.SUCCEEDED} THEN '' ELSE found.detail END,
    updated_at = now()
FROM (
    SELECT p.plan_id, p.number, d.state,
           CASE d.state WHEN {JobState.DECLINED} THEN 'DECLINED' WHEN {JobState.CANCELLED} THEN 'CANCELLED' ELSE 'EXPIRED' END AS detail
    FROM plan_item p JOIN job_done d ON d.job_id = p.job_id
    WHERE p.state IN ({ItemState.STARTED}, {ItemState.UNCONFIRMED})
    UNION ALL
    SELECT p.plan_id, p.number, j.state,
           CASE j.state WHEN {JobState.DEAD} THEN 'DEAD' ELSE 'IN_DOUBT' END
    FROM plan_item p JOIN job j ON j.job_id = p.job_id
    WHERE p.state IN ({ItemState.STARTED}, {ItemState.UNCONFIRMED})
      AND (j.state = {JobState.DEAD} OR (j.state = {JobState.IN_DOUBT} AND j.due_at IS NULL AND j.claimed_term = 0))
    UNION ALL
    SELECT p.plan_id, p.number, j.state, 'NOT_CONFIRMED_IN_TIME'
    FROM plan_item p JOIN plan USING (plan_id) JOIN job j ON j.job_id = p.job_id
    WHERE p.state = {ItemState.STARTED} AND j.state = {JobState.WAITING_CONFIRMATION}
      AND p.updated_at + plan.confirm_within <= now()
) AS found
WHERE i.plan_id = found.plan_id AND i.number = found.number
  AND i.state IN ({ItemState.STARTED}, {ItemState.UNCONFIRMED})
