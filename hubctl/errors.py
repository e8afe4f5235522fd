"""What can go wrong at the command line.

CliError
├── Failed            exit 1   what was asked was done, and its answer is no
│   └── NotProven    exit 1, 3 or 4, as the offline verifier says
├── Misused           exit 2   what was asked makes no sense
├── Refused           exit 4   the service understood and said no
└── NotReady          exit 3   something that must run does not
    ├── PortTaken
    ├── PartFailed
    ├── PostgresMissing
    └── CertificateExpired
"""


class CliError(Exception):
    """Ends a command with a sentence and an exit code."""

    reason = "FAILED"
    exit_code = 1


class Failed(CliError):
    """What was asked was done, and its answer is no."""


class NotProven(Failed):
    """A bundle is not VALID; the exit code is the offline verifier's."""

    reason = "NOT_PROVEN"

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.exit_code = code


class Misused(CliError):
    """What was asked makes no sense."""

    reason = "MISUSED"
    exit_code = 2


class Refused(CliError):
    """The service understood the request and refused it."""

    reason = "REFUSED"
    exit_code = 4


class NotReady(CliError):
    """A part that must run does not, or cannot be reached."""

    reason = "NOT_READY"
    exit_code = 3


class PortTaken(NotReady):
    """Another process listens where a part should."""

    reason = "PORT_TAKEN"


class PartFailed(NotReady):
    """A part ended, or was not ready in time."""

    reason = "PART_FAILED"


class PostgresMissing(NotReady):
    """There is no Postgres to be had on this machine."""

    reason = "POSTGRES_MISSING"


class CertificateExpired(NotReady):
    """The client certificate is no longer valid."""

    reason = "CERTIFICATE_EXPIRED"
