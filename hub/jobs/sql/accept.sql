-- Makes new jobs durable; a job whose key is taken is left out of the answer. Keys are taken in one order, so that
-- replicas that take the same ones wait for each other one way round.
WITH new AS (
    SELECT * FROM unnest(
        CAST(:job_ids AS uuid[]), CAST(:tenants AS text[]), CAST(:request_ids AS text[]),
        CAST(:fingerprints AS bytea[]), CAST(:lanes AS text[]), CAST(:operations AS text[]),
        CAST(:priorities AS smallint[]), CAST(:expire_ats AS timestamptz[]),
        CAST(:request_types AS text[]), CAST(:requests AS bytea[]), CAST(:salts AS bytea[]),
        CAST(:provider_keys AS text[]), CAST(:max_attempts AS integer[]),
        CAST(:initial_backoffs AS interval[]), CAST(:max_backoffs AS interval[]),
        CAST(:actors AS text[]), CAST(:principals AS text[]), CAST(:traces AS text[]), CAST(:labels AS text[])
    ) WITH ORDINALITY AS n(job_id, tenant, request_id, fingerprint, lane_id, operation, priority, expire_at, request_type,
           request, salt, provider_key, max_attempts, initial_backoff, max_backoff, actor, principal, trace, labels,
           ordinal)
), key AS (
    INSERT INTO request_key (tenant, request_id, job_id, fingerprint)
    SELECT tenant, request_id, job_id, fingerprint FROM new ORDER BY tenant, request_id, ordinal
    ON CONFLICT DO NOTHING
    RETURNING job_id
), body AS (
    INSERT INTO job_body (job_id, request_type, request, salt, provider_key, max_attempts, initial_backoff,
                          max_backoff, actor, principal, trace, labels)
    SELECT job_id, request_type, request, salt, provider_key, max_attempts, initial_backoff,
           max_backoff, actor, principal, trace, labels
    FROM new JOIN key USING (job_id)
)
INSERT INTO job (job_id, created_at, updated_at, expire_at, due_at, state, priority, lane_id, tenant, operation,
                 request_id)
SELECT job_id, now(), now(), expire_at, now(), {JobState.QUEUED}, priority, lane_id, tenant, operation, request_id
FROM new JOIN key USING (job_id)
RETURNING job_id, created_at
