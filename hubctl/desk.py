"""An operator's place at the hub: who acts, why, and the calls to the operations service."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import TypeVar

import click

from hubctl.errors import Failed
from hubctl.options import Command, as_option, json_option, profile_options, reason_option, ticket_option
from hubctl.output import Output
from hubctl.profile import Profile, Source
from hubctl.rpc import hub_channel
from integration.operations.v1 import operations_service_pb2_grpc
from integration.operations.v1.operations_service_pb2 import Justification

Stub = operations_service_pb2_grpc.OperationsServiceStub
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Desk:
    """One operator at one hub. `named`: by --as, empty: whoever usually acts here."""

    source: Source
    named: str
    output: Output

    @property
    def operator(self) -> str:
        """Who acts."""
        return self.named or self._profile.identities.usual("operator")

    @property
    def operators(self) -> Sequence[str]:
        """Everybody who could act here."""
        return self._profile.identities.names("operator")

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
        async with hub_channel(self._profile, name=self.named) as channel:
            return await use(Stub(channel))

    @property
    def _profile(self) -> Profile:
        return self.source.profile()


def desk_options(command: Command) -> Command:
    """Gives a command its `desk`, from --as, --profile, --state and --json."""

    @wraps(command)
    def at_desk(*, operator: str, source: Source, as_json: bool, **given: object) -> None:
        command(desk=Desk(source, operator, Output(as_json=as_json)), **given)

    return as_option(profile_options(json_option(at_desk)))


def why_options(command: Command) -> Command:
    """Gives a command that changes something its `why`, from --reason and --ticket."""

    @wraps(command)
    def because(*, reason: str, ticket: str, **given: object) -> None:
        command(why=Justification(reason=reason, ticket=ticket), **given)

    return reason_option(ticket_option(because))
