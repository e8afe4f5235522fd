"""What a spoke offers, which can change with each of its releases, and what a hub has heard of it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.errors import ProviderNotReady, UnknownProvider
from hub.jobs.spec import OperationSpec
from tests.simulation.cases import LANE, PROVIDER, SPECS

if TYPE_CHECKING:
    from tests.simulation.world import World

ASK_SECONDS = 10.0
"""How often a hub asks a spoke that answers what it offers."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The operations of a release of the spoke, and whether it has the account at all."""

    operations: frozenset[str] = frozenset(SPECS)
    has_account: bool = True

    def has(self, operation: str) -> bool:
        """Whether it can do that for the account."""
        return self.has_account and operation in self.operations


EVERYTHING = Offer()


class Directory:
    """What one process of the hub knows; a new one knows nothing before the spoke has answered it."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._heard: Offer | None = None
        self._asks_at = 0.0

    def lanes(self) -> list[str]:
        """The lanes that the hub can work on."""
        heard = self._ask()
        return [*([LANE] if heard and heard.has_account else []), *self._world.idle_lanes]

    def spec(self, operation: str) -> OperationSpec:
        """What the spoke said of an operation."""
        heard = self._ask()
        if heard is None:
            raise ProviderNotReady("not heard yet", provider=PROVIDER)
        if operation not in heard.operations:
            raise UnknownProvider("not offered", provider=PROVIDER)
        return SPECS[operation]

    def missed(self) -> None:
        """A call was not answered: the spoke is asked as soon as it is back."""
        self._asks_at = 0.0

    def _ask(self) -> Offer | None:
        now, spoke = self._world.loop.time(), self._world.spoke
        if spoke.is_up and now >= self._asks_at:
            self._heard, self._asks_at = spoke.offer, now + ASK_SECONDS
        return self._heard
