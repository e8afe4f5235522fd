"""Options that many commands share."""

from pathlib import Path

import click

from hub.cli.place import DEFAULT_STATE

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
