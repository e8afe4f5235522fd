"""Until when a provider wants nothing of a lane."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Adds the column."""
    op.execute("ALTER TABLE lane ADD throttled_until timestamptz")
