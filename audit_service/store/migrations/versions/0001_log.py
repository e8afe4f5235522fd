"""The log's tables, the roles' grants, and the triggers that refuse every change."""

from alembic import op

revision = "0001"
down_revision = None

_TABLES = """
CREATE TABLE log_state (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    origin text NOT NULL DEFAULT '',
    size bigint NOT NULL DEFAULT 0,
    root bytea NOT NULL DEFAULT sha256('') CHECK (length(root) = 32),
    gen bigint NOT NULL DEFAULT 0
);
CREATE TABLE log_entry (
    idx bigint PRIMARY KEY CHECK (idx >= 0),
    id uuid NOT NULL UNIQUE,
    leaf_hash bytea NOT NULL CHECK (length(leaf_hash) = 32),
    envelope bytea NOT NULL CHECK (length(envelope) <= 24576),
    received_at timestamptz NOT NULL
);
CREATE TABLE entry_ix (
    idx bigint PRIMARY KEY,
    kind text NOT NULL,
    phase smallint,
    tenant text NOT NULL,
    job uuid,
    attempt text,
    purpose text NOT NULL,
    actor_ref text NOT NULL,
    provider text NOT NULL,
    account text NOT NULL,
    service text NOT NULL,
    method text NOT NULL,
    outcome text NOT NULL,
    t text NOT NULL,
    ret text NOT NULL,
    UNIQUE (attempt, phase)
);
CREATE INDEX entry_ix_job ON entry_ix (job, idx) WHERE job IS NOT NULL;
CREATE INDEX entry_ix_key ON entry_ix (idx) WHERE kind = 'key.add';
CREATE TABLE log_tile (
    level smallint NOT NULL,
    n bigint NOT NULL,
    hashes bytea NOT NULL CHECK (length(hashes) = 8192),
    PRIMARY KEY (level, n)
);
CREATE TABLE log_checkpoint (
    size bigint PRIMARY KEY,
    note bytea NOT NULL
);
INSERT INTO log_state DEFAULT VALUES;
"""

_REFUSE_CHANGE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log takes no % of %', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
"""

_ONLY_GROW = """
CREATE FUNCTION only_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.size < OLD.size OR NEW.gen < OLD.gen
        OR (NEW.size = OLD.size AND NEW.root <> OLD.root)
        OR (OLD.origin <> '' AND NEW.origin <> OLD.origin) THEN
        RAISE EXCEPTION 'the head of the log can only grow' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
"""

_WRITE_ONCE = ("log_entry", "entry_ix", "log_tile", "log_checkpoint")

_GRANTS = """
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC;
GRANT SELECT ON log_state, log_entry, entry_ix, log_tile, log_checkpoint TO audit_writer, audit_reader;
GRANT INSERT ON log_entry, entry_ix, log_tile, log_checkpoint TO audit_writer;
GRANT UPDATE (origin, size, root, gen) ON log_state TO audit_writer;
"""


def upgrade() -> None:
    """Makes everything; the database is empty."""
    _run(_TABLES)
    op.execute(_REFUSE_CHANGE)
    op.execute(_ONLY_GROW)
    for table in _WRITE_ONCE:
        _always(table, "UPDATE OR DELETE", "ROW", "refuse_change")
        _always(table, "TRUNCATE", "STATEMENT", "refuse_change")
    _always("log_state", "DELETE", "ROW", "refuse_change")
    _always("log_state", "TRUNCATE", "STATEMENT", "refuse_change")
    _always("log_state", "UPDATE", "ROW", "only_grow")
    _run(_GRANTS)


def _always(table: str, event: str, level: str, function: str) -> None:
    name = f"{function}_{event.split()[0].lower()}"
    op.execute(
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH {level} EXECUTE FUNCTION {function}()"
    )
    # ALWAYS: an ordinary trigger sleeps while session_replication_role is "replica".
    op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")


def _run(script: str) -> None:
    for statement in script.split(";\n"):
        if statement.strip():
            op.execute(statement)
