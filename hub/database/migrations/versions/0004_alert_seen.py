"""When the cause of an alert was last seen, apart from when the alert last changed."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Adds the column."""
    op.execute("ALTER TABLE alert ADD seen_at timestamptz NOT NULL DEFAULT now()")
