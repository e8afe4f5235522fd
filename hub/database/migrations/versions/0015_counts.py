"""Counts of unfinished jobs and open dead letters, kept by whatever changes them."""

from alembic import op

revision = "0015"
down_revision = "0014"

# Many rows of one group stand side by side and are summed: no writer waits for another.
_TABLES = (
    """
    CREATE TABLE job_count (
        lane_id text NOT NULL,
        tenant text NOT NULL,
        state smallint NOT NULL,
        is_claimed boolean NOT NULL,
        is_parked boolean NOT NULL,
        jobs bigint NOT NULL
    ) WITH (autovacuum_vacuum_scale_factor = 0.02)
    """,
    "CREATE TABLE letter_count (lane_id text NOT NULL, letters bigint NOT NULL)",
    "GRANT SELECT, INSERT, DELETE ON job_count, letter_count TO hub_rw",
    """
    INSERT INTO job_count (lane_id, tenant, state, is_claimed, is_parked, jobs)
    SELECT lane_id, tenant, state, claimed_term <> 0, claimed_term = 0 AND due_at IS NULL, count(*)
    FROM job GROUP BY 1, 2, 3, 4, 5
    """,
    """
    INSERT INTO letter_count (lane_id, letters)
    SELECT lane_id, count(*) FROM dead_letter WHERE left_at IS NULL GROUP BY lane_id
    """,
    "CREATE INDEX dead_letter_entered ON dead_letter (entered_at, job_id)",
)

_JOBS = """
CREATE FUNCTION count_jobs_{change}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO job_count (lane_id, tenant, state, is_claimed, is_parked, jobs)
    SELECT lane_id, tenant, state, claimed_term <> 0, claimed_term = 0 AND due_at IS NULL, sum(n)
    FROM ({rows}) AS changed
    GROUP BY 1, 2, 3, 4, 5 HAVING sum(n) <> 0;
    RETURN NULL;
END $$
"""
_AT_JOBS = """
CREATE TRIGGER counted_at_{change} AFTER {change} ON job REFERENCING {named}
    FOR EACH STATEMENT EXECUTE FUNCTION count_jobs_{change}()
"""
_CHANGES = {
    "insert": ("NEW TABLE AS came", "SELECT *, 1 AS n FROM came"),
    "update": (
        "NEW TABLE AS came OLD TABLE AS went",
        "SELECT *, 1 AS n FROM came UNION ALL SELECT *, -1 FROM went",
    ),
    "delete": ("OLD TABLE AS went", "SELECT *, -1 AS n FROM went"),
}
# Letters are rare, and most statements that could write some write none: then these are not called.
_LETTERS = (
    """
    CREATE FUNCTION count_letter() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO letter_count VALUES (NEW.lane_id, CASE WHEN NEW.left_at IS NULL THEN 1 ELSE -1 END);
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER counted_at_insert AFTER INSERT ON dead_letter
        FOR EACH ROW WHEN (NEW.left_at IS NULL) EXECUTE FUNCTION count_letter()
    """,
    """
    CREATE TRIGGER counted_at_update AFTER UPDATE ON dead_letter
        FOR EACH ROW WHEN ((NEW.left_at IS NULL) <> (OLD.left_at IS NULL)) EXECUTE FUNCTION count_letter()
    """,
)


def upgrade() -> None:
    """Counts what there is, and lets every change be counted in its own commit."""
    op.execute("LOCK TABLE job, dead_letter IN SHARE ROW EXCLUSIVE MODE")
    for statement in _TABLES:
        op.execute(statement)
    for change, (named, rows) in _CHANGES.items():
        op.execute(_JOBS.format(change=change, rows=rows))
        op.execute(_AT_JOBS.format(change=change, named=named))
    for statement in _LETTERS:
        op.execute(statement)
