"""A person on call, who has a terminal and a page of the runbooks, and nothing else."""

import asyncio
import json
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.campaigns.report import Report
from tests.docs.readme import ROOT, commands

RUNBOOKS = ROOT / "docs" / "runbooks"
PATIENCE_SECONDS = 900


class PageUnclear(Exception):
    """The page has no such command."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command came to: its exit code, its JSON object, and what it said to people."""

    code: int
    value: dict[str, Any]
    said: str


@dataclass(slots=True)
class Person:
    """Types the commands of a page as they stand there; only the words in capitals are filled in."""

    page: Path
    state: Path
    report: Report
    words: dict[str, str] = field(default_factory=dict)

    async def types(self, start: str, *, expect: int = 0, options: Mapping[str, str] | None = None) -> Answer:
        """Runs the page's command that begins so; `options`: other values than the page's example."""
        line = self.line(start)
        words = [self.words.get(word, word) for word in shlex.split(line)]
        for option, value in (options or {}).items():
            words[words.index(option) + 1] = value
        return await self.runs(words, expect=expect)

    async def runs(self, words: list[str], *, expect: int = 0) -> Answer:
        """Runs a command, and tells if it ends with another exit code."""
        command = self._command(words)
        run = await asyncio.to_thread(
            subprocess.run, command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS
        )
        lines, code = run.stdout.splitlines(), run.returncode
        value = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}
        said = "\n".join([*(lines if not value else []), run.stderr.rstrip()])
        shown = shlex.join(words)
        self.report.say(f"$ {shown[:150]}  -> {code}")
        self.report.expect(f"`{shown}` ends with {expect}", code == expect, f"{code}: {said[-300:]}")
        return Answer(code, value, said)

    def fill(self, **words: str) -> None:
        """Fills in words in capitals, and the names of bundles with them."""
        self.words |= words | {f"{w}.zip": str(self.state / f"{value}.zip") for w, value in words.items()}

    def line(self, start: str) -> str:
        """The page's first command that begins so; raises PageUnclear if it has none."""
        lines = [line for line in commands(self.page) if line.startswith(start)]
        if not lines:
            raise PageUnclear(f"{self.page.name} has no command that begins with {start!r}")
        return lines[0]

    def _command(self, words: list[str]) -> list[str]:
        program, *rest = words
        if program == "python":
            return [sys.executable, *rest]
        options = ["--json"] if "--json" not in rest else []
        return [str(Path(sys.executable).with_name(program)), *rest, *options, "--state", str(self.state)]


def at(page: str, state: Path, report: Report) -> Person:
    """Somebody with this page open."""
    return Person(
        RUNBOOKS / page,
        state,
        report,
        {"VKEY": str(state / "keys" / "vkey"), "DIRECTORY": str(state / "tiles")},
    )
