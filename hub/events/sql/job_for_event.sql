-- Where the job of an event stands, locked against its lane.
SELECT job_id, state, claimed_term, lane_id, tenant, operation, provider_reference FROM job WHERE job_id = CAST(:job_id AS uuid) FOR UPDATE
