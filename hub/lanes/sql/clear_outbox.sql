-- Forgets statements that the log holds; those that it refused are set aside for a person, who is told.
WITH gone AS (
    DELETE FROM outbox
    WHERE statement_id = ANY(CAST(:statement_ids AS uuid[]))
    RETURNING statement_id, job_id, envelope
), alarmed AS (
    INSERT INTO alert (alert_key, name, severity, labels, summary, runbook)
    SELECT 'StatementRefused', 'StatementRefused', 'SEV1', '{}', 'The audit log refuses statements of the hub',
           'docs/runbooks/statement-refused.md'
    FROM gone WHERE cardinality(CAST(:refused_ids AS uuid[])) > 0 LIMIT 1
    {alerts/alert_fires}
)
INSERT INTO refused_statement (statement_id, job_id, reason, envelope)
SELECT g.statement_id, g.job_id, r.reason, g.envelope
FROM gone g
JOIN unnest(CAST(:refused_ids AS uuid[]), CAST(:reasons AS text[])) AS r(statement_id, reason)
  ON r.statement_id = g.statement_id
