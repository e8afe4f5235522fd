"""What commands print: tables and sentences for people, one JSON object on the last line for programs."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.console import Console
from rich.table import Table

WIDTH_OF_FILES = 180

_STEERS_A_TERMINAL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Output:
    """Prints for people, or for programs if `as_json`; then everything but the object goes to stderr."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._console = Console(stderr=as_json, highlight=False, markup=False, emoji=False, soft_wrap=True)
        if not self._console.is_terminal:
            self._console.width = WIDTH_OF_FILES

    def say(self, text: str) -> None:
        """A sentence of progress or of the story."""
        self._console.print(harmless(text))

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """A table; programs get none."""
        lines = [[harmless(str(cell)) for cell in row] for row in rows]
        if self.as_json or not lines:
            return
        table = Table(box=None, pad_edge=False)
        for number, name in enumerate(columns):
            # The first column names the row: it is what people copy, so it is never cut.
            table.add_column(name, no_wrap=number == 0, min_width=len(lines[0][0]) if number == 0 else None)
        for line in lines:
            table.add_row(*line)
        self._console.print(table)

    def result(self, value: Mapping[str, Any]) -> None:
        """The object for programs; people get nothing more."""
        if self.as_json:
            click.echo(json.dumps(value))


def harmless(text: str) -> str:
    """A text that a provider or another person wrote, without what would steer the terminal."""
    return _STEERS_A_TERMINAL.sub("\N{REPLACEMENT CHARACTER}", text)


def as_dict(message: Message) -> dict[str, Any]:
    """A message as JSON members, under the names of the contract."""
    return MessageToDict(message, preserving_proto_field_name=True)
