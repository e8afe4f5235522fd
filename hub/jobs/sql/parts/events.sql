SELECT e.*, COALESCE((SELECT b.labels FROM job_body b WHERE b.job_id = e.job_id), '{}') AS labels
FROM numbered_event e
