"""Whether work has failed since a lane's breaker was closed."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Adds the column; of what is open and may have been opened by work, it is said."""
    op.execute("ALTER TABLE lane ADD breaker_by_writes boolean NOT NULL DEFAULT false")
    op.execute("UPDATE lane SET breaker_by_writes = breaker_state <> 1 AND breaker_reason <> 'MISCONFIGURED'")
