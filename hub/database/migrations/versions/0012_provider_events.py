"""What providers say that no job's own work answers."""

from alembic import op

revision = "0012"
down_revision = "0011"

_STATEMENTS = (
    """
    CREATE TABLE provider_event (
        cursor bigint PRIMARY KEY,
        tenant text NOT NULL,
        kind smallint NOT NULL,
        lane_id text NOT NULL,
        event_id text NOT NULL,
        type text NOT NULL,
        kept_at timestamptz NOT NULL DEFAULT now(),
        happened_at timestamptz,
        job_id uuid,
        operation text NOT NULL,
        provider_reference text NOT NULL,
        differs text NOT NULL,
        proposal smallint NOT NULL,
        job_state smallint NOT NULL,
        job_reference text NOT NULL,
        job_units bigint,
        job_currency text NOT NULL,
        said text NOT NULL,
        said_units bigint,
        said_currency text NOT NULL,
        UNIQUE (lane_id, event_id, kind)
    )
    """,
    "CREATE INDEX provider_event_tenant ON provider_event (tenant, cursor)",
    "ALTER TABLE webhook_event ADD happened_at timestamptz",
    "GRANT SELECT, INSERT ON provider_event TO hub_rw",
)


def upgrade() -> None:
    """Creates the table, the way from a provider's id to its job, and the time that a provider gives."""
    for statement in _STATEMENTS:
        op.execute(statement)
