-- The jobs that already hold some idempotency keys.
SELECT k.tenant, k.request_id, k.job_id, k.fingerprint
FROM request_key k
JOIN unnest(CAST(:tenants AS text[]), CAST(:request_ids AS text[])) AS n(tenant, request_id)
  ON k.tenant = n.tenant AND k.request_id = n.request_id
