-- Gives the items under way the results of their jobs.
UPDATE plan_item i
SET state = CASE WHEN found.state = 6 THEN 3 ELSE 4 END,
    detail = CASE WHEN found.state = 6 THEN '' ELSE found.detail END,
    updated_at = now()
FROM (
    SELECT d.job_id, d.state,
           CASE d.state WHEN 7 THEN 'DECLINED' WHEN 9 THEN 'CANCELLED' ELSE 'EXPIRED' END AS detail
    FROM job_done d JOIN plan_item p ON p.job_id = d.job_id
    WHERE p.plan_id = CAST(:plan_id AS uuid) AND p.state = 2
    UNION ALL
    SELECT j.job_id, j.state, CASE j.state WHEN 8 THEN 'DEAD' ELSE 'IN_DOUBT' END
    FROM job j JOIN plan_item p ON p.job_id = j.job_id
    WHERE p.plan_id = CAST(:plan_id AS uuid) AND p.state = 2
      AND (j.state = 8 OR (j.state = 5 AND j.due_at IS NULL AND j.claimed_term = 0))
) AS found
WHERE i.plan_id = CAST(:plan_id AS uuid) AND i.state = 2 AND i.job_id = found.job_id
