"""Options that many commands share."""

from pathlib import Path

import click

from hubctl.place import DEFAULT_STATE

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
state_option = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_STATE,
    show_default=True,
    envvar="HUBCTL_STATE",
    help="The stack's state directory.",
)
tenant_option = click.option(
    "--tenant", default="acme", show_default=True, envvar="HUBCTL_TENANT", help="The tenant to act for."
)
as_option = click.option(
    "--as",
    "operator",
    default="cli",
    show_default=True,
    envvar="HUBCTL_AS",
    metavar="NAME",
    help="The operator who acts, by the name in the certificate.",
)
reason_option = click.option(
    "--reason", required=True, help="Why, in a sentence. It goes into the log: no secrets, no personal data."
)
ticket_option = click.option("--ticket", required=True, help="The ticket, for example OPS-241.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask, not even a person at a terminal.")
