"""Statements that know the names of a job's states and causes, and which changes of state can happen."""

from collections.abc import Callable
from enum import IntEnum

from sqlalchemy import TextClause

from hub.database import statements
from hub.jobs.letters import Cause
from hub.jobs.model import FINAL, LONGEST_LIFE, NOT_BEGUN, TRANSITIONS, JobState


def reader(package: str, *enums: type[IntEnum]) -> Callable[[str], TextClause]:
    """As `hub.database.statements.reader`, with what is known of jobs."""
    return statements.reader(
        package,
        JobState,
        Cause,
        *enums,
        TRANSITIONS=", ".join(
            f"({int(a)}, {int(b)})" for a, nexts in TRANSITIONS.items() for b in sorted(nexts)
        ),
        FINAL=_listed(FINAL),
        NOT_BEGUN=_listed(NOT_BEGUN),
        LONGEST_LIFE_DAYS=str(LONGEST_LIFE.days),
        CAUSE_WORD=f"CASE letter {' '.join(f'WHEN {int(c)} THEN {_quoted(c)}' for c in Cause)} END",
    )


def _listed(states: frozenset[JobState]) -> str:
    return ", ".join(str(int(state)) for state in sorted(states))


def _quoted(cause: Cause) -> str:
    return f"'{cause.name.lower()}'"
