-- Plans that nobody has approved in time can no longer be approved.
UPDATE plan SET state = 5, note = 'nobody approved it in time' WHERE state = 1 AND expire_at <= now()
