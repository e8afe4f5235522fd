-- States a step of a plan that changes nothing else.
INSERT INTO outbox (statement_id, lane_id, job_id, envelope)
VALUES (CAST(:statement_id AS uuid), :outbox, CAST(:plan_id AS uuid), :envelope)
