"""The product's own request ids, out of Core's reach."""

from alembic import op

revision = "0007"
down_revision = "0005"

# The fourth part of a SPIFFE id is the role of whoever asked for the job.
_OWN_KEYS = """
UPDATE request_key k SET request_id = '~' || k.request_id
FROM job_body b
WHERE b.job_id = k.job_id AND k.request_id LIKE 'rollback:%' AND split_part(b.actor, '/', 4) <> 'core';
UPDATE job j SET request_id = k.request_id
FROM request_key k WHERE k.job_id = j.job_id AND k.request_id LIKE '~%';
UPDATE job_done j SET request_id = k.request_id
FROM request_key k WHERE k.job_id = j.job_id AND k.request_id LIKE '~%';
UPDATE job_event e SET request_id = k.request_id
FROM request_key k WHERE k.job_id = e.job_id AND k.request_id LIKE '~%';
"""


def upgrade() -> None:
    """Renames the keys of the jobs that rollbacks have made."""
    for statement in _OWN_KEYS.split(";"):
        if statement.strip():
            op.execute(statement)
