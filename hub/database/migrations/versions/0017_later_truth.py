"""What a provider's later word sets free, and what a backfill takes in that is nobody's job."""

from alembic import op

revision = "0017"
down_revision = "0015"

_STATEMENTS = (
    "CREATE INDEX provider_event_undone ON provider_event (job_id) WHERE kind = 1 AND proposal = 2",
    """
    ALTER TABLE plan_item
        ADD event_happened_at timestamptz,
        ADD concern_kind smallint NOT NULL DEFAULT 0,
        ADD concern_reference text NOT NULL DEFAULT '',
        ADD concern_units bigint,
        ADD concern_currency text NOT NULL DEFAULT ''
    """,
)


def upgrade() -> None:
    """Adds the way from a job to what contradicts its success, and the words of a concern."""
    for statement in _STATEMENTS:
        op.execute(statement)
