w.outcome = '' AND w.confirmation = '' AND w.type = g.type AND (w.job_id IS NULL OR w.job_id = g.job_id)
