-- When a job that goes on expires: it has as long again as it was given at first, and never more than the longest life
-- that a request can ask for.
GREATEST(expire_at, now() + LEAST(expire_at - created_at, interval '{LONGEST_LIFE_DAYS} days'))
