"""Jobs, lanes, attempts, events, webhooks and the outbox of evidence."""

from alembic import op

revision = "0001"
down_revision = None

_TABLES = """
CREATE TABLE lane (
    lane_id text PRIMARY KEY,
    provider text NOT NULL,
    account text NOT NULL,
    owner text NOT NULL DEFAULT '',
    term bigint NOT NULL DEFAULT 0,
    lease_until timestamptz NOT NULL DEFAULT '-infinity'
);
CREATE TABLE request_key (
    tenant text NOT NULL,
    request_id text NOT NULL,
    job_id uuid NOT NULL,
    fingerprint bytea NOT NULL,
    PRIMARY KEY (tenant, request_id)
);
CREATE TABLE job (
    job_id uuid PRIMARY KEY,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    expire_at timestamptz NOT NULL,
    due_at timestamptz,
    claimed_term bigint NOT NULL DEFAULT 0,
    seq integer NOT NULL DEFAULT 0,
    attempt_count integer NOT NULL DEFAULT 0,
    state smallint NOT NULL,
    priority smallint NOT NULL,
    lane_id text NOT NULL,
    tenant text NOT NULL,
    operation text NOT NULL,
    request_id text NOT NULL,
    provider_reference text NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT '',
    message text NOT NULL DEFAULT '',
    result_type text NOT NULL DEFAULT '',
    result bytea NOT NULL DEFAULT ''
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX job_claim ON job (lane_id, priority, due_at, job_id)
    WHERE claimed_term = 0 AND due_at IS NOT NULL;
CREATE INDEX job_claimed ON job (lane_id) WHERE claimed_term <> 0;
CREATE INDEX job_tenant ON job (tenant, job_id);
CREATE TABLE job_done (
    job_id uuid PRIMARY KEY,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    expire_at timestamptz NOT NULL,
    attempt_count integer NOT NULL,
    state smallint NOT NULL,
    lane_id text NOT NULL,
    tenant text NOT NULL,
    operation text NOT NULL,
    request_id text NOT NULL,
    provider_reference text NOT NULL,
    reason text NOT NULL,
    message text NOT NULL,
    result_type text NOT NULL,
    result bytea NOT NULL
);
CREATE INDEX job_done_tenant ON job_done (tenant, job_id);
CREATE TABLE job_body (
    job_id uuid PRIMARY KEY,
    request_type text NOT NULL,
    request bytea NOT NULL,
    salt bytea NOT NULL,
    provider_key text NOT NULL,
    max_attempts integer NOT NULL,
    initial_backoff interval NOT NULL,
    max_backoff interval NOT NULL,
    actor text NOT NULL,
    principal text NOT NULL,
    trace text NOT NULL,
    labels text NOT NULL
);
CREATE TABLE attempt (
    job_id uuid NOT NULL,
    seq integer NOT NULL,
    purpose smallint NOT NULL,
    term bigint NOT NULL,
    claimed_at timestamptz NOT NULL,
    intent bytea NOT NULL,
    outcome text NOT NULL DEFAULT '',
    settled_at timestamptz,
    PRIMARY KEY (job_id, seq)
);
CREATE TABLE outbox (
    statement_id uuid PRIMARY KEY,
    lane_id text NOT NULL,
    job_id uuid NOT NULL,
    position bigint GENERATED ALWAYS AS IDENTITY,
    envelope bytea NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX outbox_lane ON outbox (lane_id, position);
CREATE INDEX outbox_job ON outbox (job_id);
CREATE TABLE refused_statement (
    statement_id uuid PRIMARY KEY,
    job_id uuid NOT NULL,
    refused_at timestamptz NOT NULL DEFAULT now(),
    reason text NOT NULL,
    envelope bytea NOT NULL
);
CREATE TABLE job_event (
    cursor bigint PRIMARY KEY,
    job_id uuid NOT NULL,
    tenant text NOT NULL,
    state smallint NOT NULL,
    at timestamptz NOT NULL,
    lane_id text NOT NULL,
    operation text NOT NULL,
    request_id text NOT NULL,
    attempt_count integer NOT NULL,
    created_at timestamptz NOT NULL,
    expire_at timestamptz NOT NULL,
    provider_reference text NOT NULL,
    reason text NOT NULL,
    message text NOT NULL
);
CREATE TABLE webhook_event (
    lane_id text NOT NULL,
    event_id text NOT NULL,
    type text NOT NULL,
    confirmation bytea NOT NULL,
    job_id uuid,
    outcome bytea NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    handled text NOT NULL DEFAULT '',
    PRIMARY KEY (lane_id, event_id)
);
CREATE INDEX webhook_held ON webhook_event (job_id) WHERE handled = '';
CREATE TABLE log_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    size bigint NOT NULL,
    note bytea NOT NULL
);
"""

_GRANTS = """
GRANT USAGE ON SCHEMA public TO hub_rw;
GRANT SELECT, INSERT, UPDATE ON lane, log_head, webhook_event, attempt TO hub_rw;
GRANT SELECT, INSERT, UPDATE, DELETE ON job, outbox TO hub_rw;
GRANT SELECT, INSERT ON request_key, job_done, job_body, job_event, refused_statement TO hub_rw;
"""


def upgrade() -> None:
    """Creates the tables and grants the running hub what it needs and no more."""
    for statement in (_TABLES + _GRANTS).split(";"):
        if statement.strip():
            op.execute(statement)
