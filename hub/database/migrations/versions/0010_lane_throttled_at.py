"""Since when a provider wants nothing of a lane."""

from alembic import op

revision = "0010"
down_revision = "0006"


def upgrade() -> None:
    """Adds the column."""
    op.execute("ALTER TABLE lane ADD throttled_at timestamptz")
