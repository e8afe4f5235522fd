"""What the audit service can refuse.

AuditError
├── EntryNotFound       no entry at that index
├── JobNotInLog         the log holds nothing about the job
├── SizeBeyondLog       the caller speaks of a tree larger than the log
├── Overloaded          too many statements wait; come back later
└── LogUnavailable      the log cannot be written or read; nothing was acknowledged
    ├── WriterLost      another process writes the log
    ├── LogRolledBack   the database knows less than was acknowledged
    ├── MarkMissing     the high-water mark is not there although the log is not empty
    └── LogInconsistent the database contradicts the tree, a checkpoint or the configuration
        └── AlreadyThere it holds a statement, or one of the attempt, that was thought to be new
"""

from datetime import timedelta


class AuditError(Exception):
    """The audit service refuses; `reason` is what clients branch on."""

    reason = "AUDIT_ERROR"
    retry_after: timedelta | None = None


class EntryNotFound(AuditError):
    """There is no entry at that index."""

    reason = "ENTRY_NOT_FOUND"


class JobNotInLog(AuditError):
    """The log holds nothing about the job."""

    reason = "JOB_NOT_IN_LOG"


class SizeBeyondLog(AuditError):
    """The caller speaks of a tree larger than the log: one of the two is not what it seems."""

    reason = "SIZE_BEYOND_LOG"


class Overloaded(AuditError):
    """Too many statements wait; come back after `retry_after`."""

    reason = "OVERLOADED"
    retry_after = timedelta(seconds=1)


class LogUnavailable(AuditError):
    """The log cannot be written or read; nothing was acknowledged."""

    reason = "LOG_UNAVAILABLE"
    retry_after = timedelta(seconds=1)


class WriterLost(LogUnavailable):
    """Another process writes the log."""


class LogRolledBack(LogUnavailable):
    """The database knows less than was acknowledged: an old copy was restored."""


class MarkMissing(LogUnavailable):
    """The high-water mark is not there although the log is not empty."""


class LogInconsistent(LogUnavailable):
    """The database contradicts the tree, a checkpoint or the configuration."""


class AlreadyThere(LogInconsistent):
    """The database holds a statement that was thought to be new; nothing was written."""
