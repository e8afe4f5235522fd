"""The product's own request ids, out of Core's reach; and which job has made what at the provider."""

from alembic import op

revision = "0007"
down_revision = "0006"

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
_REFERENCES = """
CREATE INDEX job_reference ON job (provider_reference, tenant, lane_id) WHERE provider_reference <> '';
CREATE INDEX job_done_reference ON job_done (provider_reference, tenant, lane_id)
    WHERE provider_reference <> ''
"""


def upgrade() -> None:
    """Renames the keys of the jobs that rollbacks have made, and makes references quick to find."""
    for statement in (_OWN_KEYS + _REFERENCES).split(";"):
        if statement.strip():
            op.execute(statement)
