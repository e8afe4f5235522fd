"""A lane's term is a key of it; the replicas that live."""

from alembic import op

revision = "0008"
down_revision = "0005"

_CHANGES = """
CREATE UNIQUE INDEX lane_term ON lane (lane_id, term);
CREATE TABLE replica (
    owner text PRIMARY KEY,
    lanes text[] NOT NULL,
    seen_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON replica TO hub_rw;
"""


def upgrade() -> None:
    """Adds the index and the table, and grants the running hub what it needs and no more."""
    for statement in _CHANGES.split(";"):
        if statement.strip():
            op.execute(statement)
