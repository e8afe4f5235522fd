"""What housekeeping looks things up by, so that it never walks over what merely waits."""

from alembic import op

revision = "0009"
down_revision = "0008"

_CHANGES = """
CREATE INDEX job_expiry ON job (expire_at) WHERE claimed_term = 0 AND state IN (1, 4);
CREATE INDEX job_doubt_expiry ON job (lane_id, expire_at)
    WHERE claimed_term = 0 AND due_at IS NOT NULL AND state IN (3, 5);
ALTER TABLE outbox ADD stated_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE webhook_event ADD has_job boolean NOT NULL DEFAULT true;
UPDATE webhook_event w SET has_job = false
    WHERE handled = ''
      AND NOT EXISTS (SELECT 1 FROM job j WHERE j.job_id = w.job_id AND j.lane_id = w.lane_id)
      AND NOT EXISTS (SELECT 1 FROM job_done d WHERE d.job_id = w.job_id AND d.lane_id = w.lane_id);
CREATE INDEX webhook_held_age ON webhook_event (has_job, received_at) WHERE handled = '';
CREATE INDEX webhook_unmatched ON webhook_event (lane_id, received_at)
    WHERE handled = '' AND outcome <> '' AND NOT has_job;
CREATE INDEX plan_item_progress ON plan_item (plan_id, updated_at);
CREATE INDEX alert_firing ON alert (name) WHERE ended_at IS NULL;
"""


def upgrade() -> None:
    """Adds the indexes, when a statement set out, and whether an event is about a job of ours."""
    for statement in _CHANGES.split(";"):
        if statement.strip():
            op.execute(statement)
