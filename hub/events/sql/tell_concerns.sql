-- Tells what events are about that no job waits for, each once. It concerns the tenant of the job that the event names,
-- or else of the first job of its lane that the provider knows by what the event is about; without one it concerns
-- no tenant. What another provider says about a job does not count. All replicas insert in one order, so none waits
-- for another in a ring.
WITH given AS (
    SELECT * FROM unnest(
        CAST(:lanes AS text[]), CAST(:event_ids AS text[]), CAST(:types AS text[]), CAST(:happened_ats AS timestamptz[]),
        CAST(:job_ids AS uuid[]), CAST(:references AS text[]), CAST(:kinds AS smallint[]),
        CAST(:proposals AS smallint[]), CAST(:said_units AS bigint[]), CAST(:said_currencies AS text[])
    ) WITH ORDINALITY AS g(lane_id, event_id, type, happened_at, job_id, reference, kind, proposal, said_units,
                           said_currency, ordinal)
)
INSERT INTO provider_event (tenant, kind, lane_id, event_id, type, happened_at, job_id, operation,
                            provider_reference, differs, proposal, job_state, job_reference, job_units, job_currency,
                            said, said_units, said_currency)
SELECT COALESCE(j.tenant, ''), g.kind, g.lane_id,
       g.event_id, g.type, g.happened_at, j.job_id, COALESCE(j.operation, ''), g.reference, '', g.proposal,
       COALESCE(j.state, 0), COALESCE(j.provider_reference, ''), NULL, '', '', g.said_units, g.said_currency
FROM given g LEFT JOIN LATERAL (
    SELECT 1 AS rank, created_at, job_id, tenant, operation, state, provider_reference
    FROM job WHERE job_id = g.job_id AND lane_id = g.lane_id
    UNION ALL
    SELECT 1, created_at, job_id, tenant, operation, state, provider_reference
    FROM job_done WHERE job_id = g.job_id AND lane_id = g.lane_id
    UNION ALL
    SELECT 2, created_at, job_id, tenant, operation, state, provider_reference
    FROM job WHERE lane_id = g.lane_id AND provider_reference = g.reference AND provider_reference <> ''
    UNION ALL
    SELECT 2, created_at, job_id, tenant, operation, state, provider_reference
    FROM job_done WHERE lane_id = g.lane_id AND provider_reference = g.reference AND provider_reference <> ''
    ORDER BY rank, created_at, job_id
    LIMIT 1
) j ON true
ORDER BY g.lane_id, g.event_id
ON CONFLICT (lane_id, event_id, kind) DO NOTHING
RETURNING lane_id, event_id
