"""`hubctl`: the command line of the hub."""

import sys

import click

from hubctl.alerts import alerts
from hubctl.audit import audit
from hubctl.breaker import breaker
from hubctl.dlq import dlq
from hubctl.errors import CliError
from hubctl.events import events
from hubctl.evidence import evidence
from hubctl.jobs import jobs
from hubctl.lane import lane
from hubctl.plan import plan
from hubctl.status import status
from hubctl.submit import submit
from local.bench import bench
from local.demo import demo
from local.up import down, up
from mesh.evidence.errors import EvidenceError
from mesh.told import MESH, tell_crashes

EXIT_CODES = """\b
Exit codes: 0 done · 1 done, and the answer is no · 2 wrong usage
            3 a part does not run or does not answer · 4 the service refused"""


@click.group(help=f"The integration hub's command line.\n\n{EXIT_CODES}")
def hubctl() -> None:
    """Groups the commands."""


for command in (up, down, status, demo, submit, jobs, evidence, audit, bench):
    hubctl.add_command(command)
for command in (lane, breaker, dlq, plan, alerts, events):
    hubctl.add_command(command)


def main() -> None:
    """Runs a command and ends with its exit code."""
    tell_crashes((*MESH, CliError))
    try:
        hubctl(standalone_mode=False)
    except click.UsageError as error:
        error.show()
        sys.exit(2)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except CliError as error:
        sys.exit(_say(str(error), error.exit_code))
    except EvidenceError as error:
        sys.exit(_say(f"the log's answer proves nothing: {error}", 1))


def _say(text: str, exit_code: int) -> int:
    click.echo(f"hubctl: {text}", err=True)
    return exit_code
