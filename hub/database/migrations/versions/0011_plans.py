"""Attempts to undo a job have numbers."""

from alembic import op

revision = "0011"
down_revision = "0006"

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


def upgrade() -> None:
    """Gives the jobs that rollbacks have made the number of a first attempt."""
    op.execute(_NUMBERED_KEYS)
    for table in ("job", "job_done", "job_event", "numbered_event"):
        op.execute(_SHOWN_KEYS.format(table=table))
