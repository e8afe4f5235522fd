"""Whether a line is a command that exists: parsed by click itself, and not run."""

import shlex

import click


def parse(root: click.Group, line: str) -> click.Context:
    """Parses `hubctl …` to its last option and argument; raises click.UsageError if it is no command."""
    program, *words = shlex.split(line)
    if program != "hubctl":
        raise click.UsageError(f"{program} is not hubctl")
    command: click.Command = root
    context = click.Context(root, info_name="hubctl")
    while isinstance(command, click.Group):
        with context:
            _, found, words = command.resolve_command(context, words)
        if found is None:
            raise click.UsageError(f"{line}: no such command")
        command = found
        if not isinstance(command, click.Group):
            return command.make_context(command.name, words, parent=context)
        context = click.Context(command, info_name=command.name, parent=context)
    return context
