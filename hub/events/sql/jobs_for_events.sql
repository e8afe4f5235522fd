-- Where the jobs of some events stand, locked against their lanes. One that another is just writing is left out:
-- whoever waits while he holds locks may be waited for.
SELECT job_id, state, claimed_term, lane_id, tenant, operation, provider_reference FROM job
WHERE job_id = ANY(CAST(:job_ids AS uuid[]))
ORDER BY job_id
FOR UPDATE SKIP LOCKED
