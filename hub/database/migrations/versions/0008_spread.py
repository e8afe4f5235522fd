"""A lane's term is a key of it; the replicas that live; events that are numbered after their commit."""

from alembic import op

revision = "0008"
down_revision = "0007"

_CHANGES = """
CREATE UNIQUE INDEX lane_term ON lane (lane_id, term);
CREATE TABLE replica (
    owner text PRIMARY KEY,
    lanes text[] NOT NULL,
    seen_at timestamptz NOT NULL
);
ALTER TABLE job_event RENAME TO numbered_event;
ALTER INDEX job_event_pkey RENAME TO numbered_event_pkey;
CREATE INDEX numbered_event_tenant ON numbered_event (tenant, cursor);
CREATE INDEX numbered_event_job ON numbered_event (job_id, cursor);
CREATE TABLE job_event (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
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
) WITH (autovacuum_vacuum_scale_factor = 0.02);
CREATE TABLE event_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    cursor bigint NOT NULL,
    history uuid NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO event_head (cursor) SELECT COALESCE(max(cursor), 0) FROM numbered_event;
GRANT SELECT, INSERT, UPDATE, DELETE ON replica TO hub_rw;
GRANT SELECT, INSERT, DELETE ON job_event TO hub_rw;
GRANT SELECT, UPDATE (cursor) ON event_head TO hub_rw;
"""


def upgrade() -> None:
    """Adds the indexes and tables, and grants the running hub what it needs and no more."""
    for statement in _CHANGES.split(";"):
        if statement.strip():
            op.execute(statement)
