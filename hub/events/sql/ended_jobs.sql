-- Where those of some jobs stand that have ended.
SELECT job_id, lane_id, state, tenant, operation, provider_reference FROM job_done
WHERE job_id = ANY(CAST(:job_ids AS uuid[]))
