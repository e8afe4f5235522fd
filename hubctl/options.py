"""Options that many commands share."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path

import click
from click.core import ParameterSource

from hubctl.profile import DEFAULT_STATE, Source

Command = Callable[..., None]

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
state_option = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_STATE,
    show_default=True,
    envvar="HUBCTL_STATE",
    help="The state directory of a local stack.",
)
_profile_file = click.option(
    "--profile",
    "profile",
    type=click.Path(path_type=Path),
    envvar="HUBCTL_PROFILE",
    metavar="FILE",
    help="The profile of the hub; else the one that a local stack wrote into its state directory.",
)
tenant_option = click.option(
    "--tenant", default="", envvar="HUBCTL_TENANT", help="The tenant to act for; else the profile's."
)
as_option = click.option(
    "--as",
    "operator",
    default="",
    envvar="HUBCTL_AS",
    metavar="NAME",
    help="The operator who acts, by the name in the certificate; else the only one here, or cli.",
)
reason_option = click.option(
    "--reason", required=True, help="Why, in a sentence. It goes into the log: no secrets, no personal data."
)
ticket_option = click.option("--ticket", required=True, help="The ticket, for example OPS-241.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask, not even a person at a terminal.")


def profile_options(command: Command) -> Command:
    """Gives a command its `source`, where the profile is, from --profile and --state."""

    @wraps(command)
    def with_source(*, profile: Path | None, state: Path, **given: object) -> None:
        context = click.get_current_context()
        by_hand = context.get_parameter_source("state") is ParameterSource.COMMANDLINE
        # What was typed goes before what the environment says.
        if by_hand and context.get_parameter_source("profile") is ParameterSource.ENVIRONMENT:
            profile = None
        command(source=Source(profile, state), **given)

    return _profile_file(state_option(with_source))
