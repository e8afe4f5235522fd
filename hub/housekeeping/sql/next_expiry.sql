-- Seconds until the next job that has not begun expires; null: there is none.
SELECT CAST(EXTRACT(EPOCH FROM min(expire_at) - now()) AS double precision) AS seconds
FROM job WHERE claimed_term = 0 AND state IN ({NOT_BEGUN})
