"""The searchable columns of a statement; what is not in the statement is empty, or null where unique."""

from typing import NamedTuple, assert_never

from audit_service.log.rules import phase_of
from mesh.evidence.statement import Action, Confirmation, Evidence, Intent, KeyAdd, Operation, Statement


class IndexRow(NamedTuple):
    """One row of entry_ix, without its index."""

    kind: str
    phase: int | None
    tenant: str
    job: str | None
    attempt: str | None
    purpose: str
    actor_ref: str
    provider: str
    account: str
    service: str
    method: str
    outcome: str
    t: str
    ret: str


_NO_OPERATION = Operation("", "")


def index_row(said: Statement) -> IndexRow:
    """Returns the columns that a statement must have."""
    match said:
        case Intent():
            return _row(said, said.op, said.job, said.attempt, said.purpose, tenant=said.tenant)._replace(
                actor_ref=said.actor.ref, ret=said.ret
            )
        case Evidence():
            row = _row(said, said.op, said.job, said.attempt, said.purpose, tenant=said.tenant)
            return row._replace(outcome=said.res.outcome)
        case Confirmation():
            return _row(said, said.op, said.job)._replace(outcome=said.res.outcome)
        case KeyAdd():
            return _row(said, _NO_OPERATION)
        case Action():
            return _row(said, _NO_OPERATION, said.job or None)._replace(actor_ref=said.actor.ref)
    assert_never(said)


def _row(
    said: Statement,
    op: Operation,
    job: str | None = None,
    attempt: str | None = None,
    purpose: str = "",
    *,
    tenant: str = "",
) -> IndexRow:
    return IndexRow(
        said.kind,
        phase_of(said),
        tenant,
        job,
        attempt,
        purpose,
        "",
        op.provider,
        op.account,
        op.service,
        op.method,
        "",
        said.t,
        "",
    )
