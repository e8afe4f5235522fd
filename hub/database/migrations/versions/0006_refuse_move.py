"""What ends a statement that would move a job where it cannot go."""

from alembic import op

revision = "0006"
down_revision = "0005"

_FUNCTION = """
CREATE FUNCTION refuse_move(job_id uuid, was smallint, becomes integer) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'job % cannot go from state % to %', job_id, was, becomes
        USING ERRCODE = 'check_violation';
END $$
"""


def upgrade() -> None:
    """Adds the function."""
    op.execute(_FUNCTION)
