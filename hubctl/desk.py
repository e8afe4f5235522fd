"""An operator's place at the hub: who acts, why, and the calls to the operations service."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TypeVar

import click

from hubctl.errors import Failed, Misused
from hubctl.options import as_option, json_option, reason_option, state_option, ticket_option
from hubctl.output import Output
from hubctl.place import Place, load
from hubctl.rpc import hub_channel
from integration.operations.v1 import operations_service_pb2_grpc
from integration.operations.v1.operations_service_pb2 import Justification

Stub = operations_service_pb2_grpc.OperationsServiceStub
Command = Callable[..., None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Desk:
    """One operator at one stack."""

    state: Path
    operator: str
    output: Output

    @property
    def place(self) -> Place:
        """The stack; raises Misused if it knows no such operator."""
        place = load(self.state)
        if self.operator not in place.operators:
            known = ", ".join(place.operators) or "none"
            raise Misused(f"there is no certificate of an operator {self.operator}; there are: {known}")
        return place

    def ask(self, use: Callable[[Stub], Awaitable[T]]) -> T:
        """Makes calls as the operator."""
        return asyncio.run(self._ask(use))

    def agree(self, question: str, *, yes: bool) -> None:
        """Asks a person at a terminal; raises Failed if the answer is no."""
        if yes or self.output.as_json or not sys.stdin.isatty():
            return
        if not click.confirm(question, err=True):
            raise Failed("nothing was changed")

    async def _ask(self, use: Callable[[Stub], Awaitable[T]]) -> T:
        async with hub_channel(self.place, name=self.operator) as channel:
            return await use(Stub(channel))


def desk_options(command: Command) -> Command:
    """Gives a command its `desk`, from --as, --state and --json."""

    @wraps(command)
    def at_desk(*, operator: str, state: Path, as_json: bool, **given: object) -> None:
        command(desk=Desk(state, operator, Output(as_json=as_json)), **given)

    return as_option(state_option(json_option(at_desk)))


def why_options(command: Command) -> Command:
    """Gives a command that changes something its `why`, from --reason and --ticket."""

    @wraps(command)
    def because(*, reason: str, ticket: str, **given: object) -> None:
        command(why=Justification(reason=reason, ticket=ticket), **given)

    return reason_option(ticket_option(because))
