"""Plans that go on past what is not confirmed, and attempts to undo a job that have numbers."""

from alembic import op

revision = "0011"
down_revision = "0010"

_PACE = """
ALTER TABLE plan
    ADD stop_min_results integer NOT NULL DEFAULT 20,
    ADD confirm_within interval NOT NULL DEFAULT '10 minutes'
"""

_OPEN_ITEMS = "CREATE INDEX plan_item_open ON plan_item (job_id) WHERE state IN (2, 6)"

_READS = """
CREATE INDEX dead_letter_newest ON dead_letter (entered_at, job_id) WHERE left_at IS NULL;
CREATE INDEX job_parked ON job (lane_id, state) WHERE claimed_term = 0 AND due_at IS NULL;
"""

_PEOPLE = """
CREATE TABLE job_cancel (
    job_id uuid PRIMARY KEY,
    actor text NOT NULL,
    reason text NOT NULL,
    ticket text NOT NULL
);
CREATE TABLE resolution_proposal (
    job_id uuid PRIMARY KEY,
    seq integer NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL,
    ticket text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expire_at timestamptz NOT NULL
);
GRANT SELECT, INSERT ON job_cancel TO hub_rw;
GRANT SELECT, INSERT, UPDATE ON resolution_proposal TO hub_rw;
"""

# The fourth part of a SPIFFE id is the role of whoever asked for the job.
_NUMBERED_KEYS = """
UPDATE request_key k SET request_id = k.request_id || '\\:1'
FROM job_body b
WHERE b.job_id = k.job_id AND k.request_id ~ '^~?rollback:[0-9a-f-]{36}$'
  AND split_part(b.actor, '/', 4) <> 'core'
"""

_SHOWN_KEYS = """
UPDATE {table} j SET request_id = k.request_id
FROM request_key k WHERE k.job_id = j.job_id AND k.request_id ~ '^~?rollback:[0-9a-f-]{{36}}\\:1$'
"""


def _statements(text: str) -> list[str]:
    return [statement for statement in text.split(";") if statement.strip()]


def upgrade() -> None:
    """Adds what is new, and gives the jobs that rollbacks have made the number of a first attempt."""
    for statement in (_PACE, _OPEN_ITEMS, *_statements(_READS), *_statements(_PEOPLE)):
        op.execute(statement)
    op.execute(_NUMBERED_KEYS)
    for table in ("job", "job_done", "job_event", "numbered_event"):
        op.execute(_SHOWN_KEYS.format(table=table))
