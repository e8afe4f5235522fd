"""Since when a provider wants nothing of a lane, and the way to what may have been done."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Adds the column and the index."""
    op.execute("ALTER TABLE lane ADD throttled_at timestamptz")
    op.execute(
        "CREATE INDEX job_doubt ON job (lane_id, due_at, job_id)"
        " WHERE claimed_term = 0 AND due_at IS NOT NULL AND state = 5"
    )
