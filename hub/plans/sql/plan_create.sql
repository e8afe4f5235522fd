-- Keeps a preview: the plan, its frozen items, and the signed statement that says so.
WITH made AS (
    INSERT INTO plan (plan_id, kind, state, filter, chunk_size, canary_size, rate_per_second, stop_error_percent,
                      stop_min_results, confirm_within, creator, reason, ticket, expire_at, needs_second_person, ineligible, digest)
    VALUES (CAST(:plan_id AS uuid), :kind, {PlanState.PREVIEWED}, :filter, :chunk_size, :canary_size, :rate_per_second,
            :stop_error_percent, :stop_min_results, CAST(:confirm_within AS interval), :creator, :reason, :ticket, now() + CAST(:approve_within AS interval),
            :needs_second_person, :ineligible, :digest)
), frozen AS (
    INSERT INTO plan_item (plan_id, number, subject, job_id, event_type, event_outcome, event_confirmation,
                           event_happened_at, concern_kind, concern_reference, concern_units, concern_currency)
    SELECT CAST(:plan_id AS uuid), ordinal, subject, NULLIF(job_id, '')::uuid, event_type, outcome, confirmation,
           happened_at, concern_kind, concern_reference, concern_units, concern_currency
    FROM unnest(CAST(:subjects AS text[]), CAST(:job_ids AS text[]), CAST(:event_types AS text[]),
                CAST(:outcomes AS bytea[]), CAST(:confirmations AS bytea[]), CAST(:happened_ats AS timestamptz[]),
                CAST(:concern_kinds AS smallint[]), CAST(:concern_references AS text[]),
                CAST(:concern_units AS bigint[]), CAST(:concern_currencies AS text[])) WITH ORDINALITY
      AS i(subject, job_id, event_type, outcome, confirmation, happened_at, concern_kind, concern_reference,
           concern_units, concern_currency, ordinal)
)
INSERT INTO outbox (statement_id, lane_id, job_id, envelope)
VALUES (CAST(:statement_id AS uuid), :outbox, CAST(:plan_id AS uuid), :envelope)
