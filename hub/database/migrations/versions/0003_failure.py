"""Lanes under failure, dead letters and plans."""

from alembic import op

revision = "0003"
down_revision = "0002"

_TABLES = """
ALTER TABLE lane
    ADD mode smallint NOT NULL DEFAULT 1,
    ADD mode_actor text NOT NULL DEFAULT '',
    ADD mode_reason text NOT NULL DEFAULT '',
    ADD mode_at timestamptz,
    ADD breaker_state smallint NOT NULL DEFAULT 1,
    ADD breaker_until timestamptz,
    ADD breaker_at timestamptz,
    ADD breaker_reason text NOT NULL DEFAULT '',
    ADD breaker_trips integer NOT NULL DEFAULT 0,
    ADD breaker_orders bigint NOT NULL DEFAULT 0;
ALTER TABLE job ADD losses smallint NOT NULL DEFAULT 0, ADD doubted boolean NOT NULL DEFAULT false;
ALTER TABLE attempt ADD reason text NOT NULL DEFAULT '';
CREATE TABLE dead_letter (
    job_id uuid NOT NULL,
    seq integer NOT NULL,
    lane_id text NOT NULL,
    tenant text NOT NULL,
    operation text NOT NULL,
    cause smallint NOT NULL,
    reason text NOT NULL,
    entered_at timestamptz NOT NULL DEFAULT now(),
    alert_key text NOT NULL,
    left_at timestamptz,
    left_by text NOT NULL DEFAULT '',
    PRIMARY KEY (job_id, seq)
);
CREATE UNIQUE INDEX dead_letter_open ON dead_letter (job_id) WHERE left_at IS NULL;
CREATE INDEX dead_letter_group ON dead_letter (lane_id, cause, reason) WHERE left_at IS NULL;
CREATE INDEX dead_letter_alert ON dead_letter (alert_key) WHERE left_at IS NULL;
CREATE TABLE plan (
    plan_id uuid PRIMARY KEY,
    kind smallint NOT NULL,
    state smallint NOT NULL,
    filter text NOT NULL,
    chunk_size integer NOT NULL,
    canary_size integer NOT NULL,
    rate_per_second integer NOT NULL,
    stop_error_percent integer NOT NULL,
    creator text NOT NULL,
    reason text NOT NULL,
    ticket text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expire_at timestamptz NOT NULL,
    needs_second_person boolean NOT NULL,
    approver text NOT NULL DEFAULT '',
    approved_at timestamptz,
    forgiven_done integer NOT NULL DEFAULT 0,
    forgiven_failed integer NOT NULL DEFAULT 0,
    ineligible text NOT NULL,
    digest text NOT NULL,
    note text NOT NULL DEFAULT ''
);
CREATE INDEX plan_running ON plan (plan_id) WHERE state = 2;
CREATE TABLE plan_item (
    plan_id uuid NOT NULL,
    number integer NOT NULL,
    subject text NOT NULL,
    state smallint NOT NULL DEFAULT 1,
    detail text NOT NULL DEFAULT '',
    job_id uuid,
    event_type text NOT NULL DEFAULT '',
    event_outcome bytea NOT NULL DEFAULT '',
    event_confirmation bytea NOT NULL DEFAULT '',
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (plan_id, number)
);
CREATE INDEX plan_item_state ON plan_item (plan_id, state, number);
"""

_GRANTS = """
GRANT SELECT, INSERT, UPDATE ON dead_letter, plan, plan_item TO hub_rw;
"""


def upgrade() -> None:
    """Adds the columns and tables, and grants the running hub what it needs and no more."""
    for statement in (_TABLES + _GRANTS).split(";"):
        if statement.strip():
            op.execute(statement)
