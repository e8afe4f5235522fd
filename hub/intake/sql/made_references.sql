-- Which of some references a job of the tenant, unfinished or done, has got from its lane's provider.
SELECT n.ordinal
FROM unnest(CAST(:tenants AS text[]), CAST(:lanes AS text[]), CAST(:references AS text[]))
     WITH ORDINALITY AS n(tenant, lane_id, reference, ordinal)
WHERE EXISTS (SELECT FROM job j
              WHERE j.provider_reference = n.reference AND j.provider_reference <> ''
                AND j.tenant = n.tenant AND j.lane_id = n.lane_id)
   OR EXISTS (SELECT FROM job_done d
              WHERE d.provider_reference = n.reference AND d.provider_reference <> ''
                AND d.tenant = n.tenant AND d.lane_id = n.lane_id)
