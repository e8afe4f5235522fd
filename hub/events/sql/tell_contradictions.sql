-- Writes down, in the commit that handles them, what events say otherwise than their jobs.
INSERT INTO provider_event (tenant, kind, lane_id, event_id, type, happened_at, job_id, operation,
                            provider_reference, differs, proposal, job_state, job_reference, job_units, job_currency,
                            said, said_units, said_currency)
SELECT g.tenant, {EventKind.CONTRADICTION}, w.lane_id, w.event_id, w.type,
       w.happened_at, w.job_id, g.operation, g.reference, g.differs, g.proposal, g.state, g.job_reference,
       g.job_units, g.job_currency, g.said, g.said_units, g.said_currency
FROM unnest(
    CAST(:lanes AS text[]), CAST(:event_ids AS text[]), CAST(:tenants AS text[]), CAST(:operations AS text[]),
    CAST(:references AS text[]), CAST(:differs AS text[]), CAST(:proposals AS smallint[]), CAST(:states AS smallint[]),
    CAST(:job_references AS text[]), CAST(:job_units AS bigint[]), CAST(:job_currencies AS text[]),
    CAST(:said AS text[]), CAST(:said_units AS bigint[]), CAST(:said_currencies AS text[])
) WITH ORDINALITY AS g(lane_id, event_id, tenant, operation, reference, differs, proposal, state, job_reference,
                       job_units, job_currency, said, said_units, said_currency, ordinal)
JOIN webhook_event w USING (lane_id, event_id)
