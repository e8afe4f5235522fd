"""What housekeeping looks things up by, so that it never walks over what merely waits."""

from alembic import op

revision = "0009"
down_revision = "0006"

_INDEXES = """
CREATE INDEX job_expiry ON job (expire_at) WHERE claimed_term = 0 AND state IN (1, 4);
"""


def upgrade() -> None:
    """Adds the indexes."""
    for statement in _INDEXES.split(";"):
        if statement.strip():
            op.execute(statement)
