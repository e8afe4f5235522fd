"""What people read of the contract's enums, and the commands that they are told to type next."""

import shlex
from typing import Protocol

import click
from click.core import ParameterSource


class Enum(Protocol):
    """An enum of the contract."""

    def Name(self, number: int) -> str:  # noqa: N802 - the library's name
        """The full name of a value."""
        ...


def name_of(enum: Enum, value: int) -> str:
    """A value without its enum's prefix; its number where this program is older than the hub."""
    try:
        return enum.Name(value).removeprefix(prefix_of(enum))
    except ValueError:
        return str(value)


def prefix_of(enum: Enum) -> str:
    """What the names of an enum's values begin with."""
    return enum.Name(0).removesuffix("UNSPECIFIED")


def typed(*words: str) -> str:
    """A command as it must be typed here: for the same hub, if another was named."""
    named: list[str] = []
    context = click.get_current_context(silent=True)
    for option in ("profile", "state") if context else ():
        if context and context.get_parameter_source(option) is ParameterSource.COMMANDLINE:
            named += [f"--{option}", str(context.params[option])]
    return shlex.join(["hubctl", *words, *named])


def acting(operator: str) -> list[str]:
    """The option that names an operator, where it is needed."""
    return [] if operator == "cli" else ["--as", operator]


TO_FILL_IN = ("--reason", "<why>", "--ticket", "<ticket>")
"""What only the person knows. The hub refuses it as it stands."""
