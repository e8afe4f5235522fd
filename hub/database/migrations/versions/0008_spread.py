"""A lane's term is a key of it."""

from alembic import op

revision = "0008"
down_revision = "0005"

_CHANGES = """
CREATE UNIQUE INDEX lane_term ON lane (lane_id, term);
"""


def upgrade() -> None:
    """Adds the index."""
    for statement in _CHANGES.split(";"):
        if statement.strip():
            op.execute(statement)
