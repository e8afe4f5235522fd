"""Alerts, and what each sink has been told of them."""

from alembic import op

revision = "0002"
down_revision = "0001"

_TABLES = """
CREATE TABLE alert (
    alert_key text PRIMARY KEY,
    name text NOT NULL,
    severity text NOT NULL,
    labels text NOT NULL,
    summary text NOT NULL,
    runbook text NOT NULL DEFAULT '',
    change bigint NOT NULL DEFAULT 1,
    started_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz
);
CREATE TABLE alert_delivery (
    alert_key text NOT NULL,
    sink text NOT NULL,
    delivered_change bigint NOT NULL DEFAULT 0,
    delivered_start timestamptz,
    delivered_at timestamptz NOT NULL DEFAULT '-infinity',
    failures integer NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL DEFAULT '-infinity',
    PRIMARY KEY (alert_key, sink)
);
"""

_GRANTS = """
GRANT SELECT, INSERT, UPDATE ON alert, alert_delivery TO hub_rw;
"""


def upgrade() -> None:
    """Creates the tables and grants the running hub what it needs and no more."""
    for statement in (_TABLES + _GRANTS).split(";"):
        if statement.strip():
            op.execute(statement)
