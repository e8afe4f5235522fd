"""What providers say is numbered after its commit, and posted to the tenants that have an endpoint."""

from alembic import op

revision = "0018"
down_revision = "0017"

_CHANGES = """
ALTER TABLE event_head DROP COLUMN only_row;
ALTER TABLE event_head ADD stream text NOT NULL DEFAULT 'jobs';
ALTER TABLE event_head ALTER stream DROP DEFAULT;
ALTER TABLE event_head ADD PRIMARY KEY (stream);
ALTER TABLE provider_event DROP CONSTRAINT provider_event_pkey;
ALTER TABLE provider_event ALTER cursor DROP NOT NULL;
ALTER TABLE provider_event ADD position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;
CREATE UNIQUE INDEX provider_event_cursor ON provider_event (cursor);
CREATE INDEX provider_event_new ON provider_event (position) WHERE cursor IS NULL;
CREATE INDEX provider_event_job ON provider_event (job_id, cursor);
INSERT INTO event_head (stream, cursor) SELECT 'providers', COALESCE(max(cursor), 0) FROM provider_event;
INSERT INTO event_head (stream, cursor) SELECT 'callbacks', cursor FROM event_head WHERE stream = 'providers';
CREATE TABLE event_delivery (
    cursor bigint PRIMARY KEY,
    tenant text NOT NULL,
    since timestamptz NOT NULL,
    next_at timestamptz,
    failures integer NOT NULL DEFAULT 0,
    reason text NOT NULL DEFAULT ''
);
CREATE INDEX event_delivery_due ON event_delivery (tenant, next_at) WHERE next_at IS NOT NULL;
CREATE TABLE endpoint_off (
    tenant text PRIMARY KEY,
    mark text NOT NULL,
    since timestamptz NOT NULL
);
GRANT UPDATE (cursor) ON provider_event TO hub_rw;
GRANT SELECT, INSERT, UPDATE, DELETE ON event_delivery, endpoint_off TO hub_rw;
"""


def upgrade() -> None:
    """Gives each stream of events a head; cursors that readers hold go on where they are."""
    for statement in _CHANGES.split(";"):
        if statement.strip():
            op.execute(statement)
