"""hubctl as it is typed: from its entry point to its exit code, with what it prints."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from click.testing import CliRunner

from hubctl.main import hubctl, main

HUBCTL = Path(sys.executable).with_name("hubctl")
SECONDS = 60.0


class Done(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


class Terminal:
    """Runs commands against one state directory."""

    def __init__(self, state: Path) -> None:
        self.state = state

    async def run(self, *words: str, environment: Mapping[str, str] | None = None) -> Done:
        """One command with no terminal at its input, in a thread and an event loop of its own."""
        async with asyncio.timeout(SECONDS):
            return await asyncio.to_thread(_run, words, {**self._environment, **(environment or {})})

    async def json(self, *words: str) -> Any:
        """The object on the last line of a command that ends well."""
        done = await self.run(*words, "--json")
        assert done.code == 0, done.err
        return json.loads(done.out.splitlines()[-1])

    async def answering(self, answer: str, *words: str) -> Done:
        """One command in a process of its own, typed by a person who answers its question."""
        person, terminal = os.openpty()
        try:
            os.write(person, f"{answer}\n".encode())
            process = await asyncio.create_subprocess_exec(
                HUBCTL,
                *words,
                stdin=terminal,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={"PATH": "/usr/bin:/bin", **self._environment},
            )
            async with asyncio.timeout(SECONDS):
                out, err = await process.communicate()
        finally:
            os.close(person)
            os.close(terminal)
        assert process.returncode is not None
        return Done(process.returncode, out.decode(), err.decode())

    @property
    def _environment(self) -> dict[str, str]:
        return {"HUBCTL_STATE": str(self.state)}


def _run(words: tuple[str, ...], environment: Mapping[str, str]) -> Done:
    """What `hubctl` does with the words."""
    with CliRunner().isolation(env=environment) as (out, err, _):
        arguments, sys.argv = sys.argv, [hubctl.name or "", *words]
        code: object = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code
        finally:
            sys.argv = arguments
        sys.stdout.flush()
        sys.stderr.flush()
        return Done(int(str(code or 0)), out.getvalue().decode(), err.getvalue().decode())
