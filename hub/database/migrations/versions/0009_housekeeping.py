"""What housekeeping looks things up by, so that it never walks over what merely waits."""

from alembic import op

revision = "0009"
down_revision = "0006"

_CHANGES = """
CREATE INDEX job_expiry ON job (expire_at) WHERE claimed_term = 0 AND state IN (1, 4);
CREATE INDEX job_doubt_expiry ON job (lane_id, expire_at)
    WHERE claimed_term = 0 AND due_at IS NOT NULL AND state IN (3, 5);
ALTER TABLE outbox ADD stated_at timestamptz NOT NULL DEFAULT now();
CREATE INDEX plan_item_progress ON plan_item (plan_id, updated_at);
CREATE INDEX alert_firing ON alert (name) WHERE ended_at IS NULL;
"""


def upgrade() -> None:
    """Adds the indexes, and when a statement set out."""
    for statement in _CHANGES.split(";"):
        if statement.strip():
            op.execute(statement)
