-- Plans that nobody has approved in time can no longer be approved.
UPDATE plan SET state = {PlanState.LAPSED}, note = 'nobody approved it in time' WHERE state = {PlanState.PREVIEWED} AND expire_at <= now()
