"""What a job needs from outside, whoever is at work on it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hub.jobs.model import Cancel, Ending


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of one submission: the job that holds its key, and when it was made if just now."""

    job_id: str
    fingerprint: bytes
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """That a job is withdrawn, and the signed statement that says so."""

    cancel: Cancel
    statement_id: str
    envelope: bytes


class Post(Protocol):
    """Says that a job has changed, and how it ended if it did."""

    def __call__(self, job_id: str, ending: Ending | None = None) -> None:
        """Wakes those who wait."""
        ...
