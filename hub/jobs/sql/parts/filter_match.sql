-- What a filter asks of a row `d` about a job, but for the jobs that it names and for a time; what it leaves out matches
-- all.
(CAST(:provider AS text) = '' OR split_part(d.lane_id, '/', 1) = CAST(:provider AS text))
  AND (CAST(:account AS text) = '' OR split_part(d.lane_id, '/', 2) = CAST(:account AS text))
  AND (CAST(:tenant AS text) = '' OR d.tenant = CAST(:tenant AS text))
  AND (CAST(:operation AS text) = '' OR d.operation = CAST(:operation AS text))
  AND (CAST(:reason AS text) = '' OR d.reason = CAST(:reason AS text))
