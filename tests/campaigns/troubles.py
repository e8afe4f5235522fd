"""What keeps a lane from working: how it begins, and how the person on call ends it by the alert's page."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hubctl.errors import PartFailed
from local.stack.layout import write_json
from tests.campaigns.gateway import Door, Gateway
from tests.campaigns.ground import Ground
from tests.campaigns.person import Person

SPOKE, PART, LANE = "stripe", "spoke-stripe", "stripe/default"
NOT_READY = 3
LONG_THROTTLED = "10 minutes"
LANE_LABELS, SPOKE_LABELS = {"provider": SPOKE, "account": "default"}, {"provider": SPOKE}


@dataclass(frozen=True, slots=True)
class Scene:
    """The stack, and the provider's front door."""

    ground: Ground
    provider: Gateway

    def accounts(self) -> dict[str, Any]:
        """The spoke's accounts, as their file has them."""
        accounts: dict[str, Any] = json.loads(self.ground.stack.layout.accounts(SPOKE).read_text())
        return accounts

    def write_accounts(self, accounts: dict[str, Any]) -> None:
        """Changes the file of the spoke's accounts."""
        write_json(self.ground.stack.layout.accounts(SPOKE), accounts)


class Trouble(ABC):
    """Something that one alert has to name. `most_burnt`: attempts that jobs may lose by it."""

    alert: ClassVar[str]
    labels: ClassVar[Mapping[str, str]]
    page: ClassVar[str]
    most_burnt: ClassVar[int] = 0

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    @abstractmethod
    async def begin(self) -> None:
        """Before the work comes."""

    @abstractmethod
    async def strike(self) -> None:
        """Once the work is there."""

    @abstractmethod
    async def end(self, ana: Person) -> None:
        """What the page says to do, after `hubctl lane list`."""


class WrongKey(Trouble):
    """The account's key is changed for one that the provider does not know."""

    alert, page = "LaneMisconfigured", "lane-misconfigured.md"
    labels = LANE_LABELS
    most_burnt = 3  # the jobs that find it out

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._right = scene.accounts()

    async def begin(self) -> None:
        """The spoke is stopped, as for a new key."""
        await self.scene.ground.stack.stop_part(PART)
        wrong = {name: {**account, "api_key": "sk_test_wrong"} for name, account in self._right.items()}
        self.scene.write_accounts(wrong)

    async def strike(self) -> None:
        """It comes back with it."""
        await self.scene.ground.stack.start_part(PART)

    async def end(self, ana: Person) -> None:
        """The key is mended, the spoke started again, and the lane told so."""
        breakers = (await ana.types("hubctl breaker list")).value["breakers"]
        reasons = {b["lane"]: b.get("reason", "") for b in breakers}
        ana.report.expect("the breaker says why", reasons[LANE] == "MISCONFIGURED", breakers)
        self.scene.write_accounts(self._right)
        await self.scene.ground.stack.stop_part(PART)
        await self.scene.ground.stack.start_part(PART)
        await ana.types("hubctl breaker try")


class Throttled(Trouble):
    """The provider answers nothing but 429, without a word on when to come back."""

    alert, page = "LaneThrottled", "lane-throttled.md"
    labels = LANE_LABELS

    async def begin(self) -> None:
        """Every request is sent away."""
        await self.scene.provider.set(Door.THROTTLING)

    async def strike(self) -> None:
        """It is made to have lasted as long as it takes to call a person."""
        await self.scene.ground.sql(
            f"UPDATE lane SET throttled_at = throttled_at - interval '{LONG_THROTTLED}' "
            f"WHERE lane_id = '{LANE}';"
        )

    async def end(self, ana: Person) -> None:
        """The provider has lifted the limit: a few attempts go first."""
        await ana.types("hubctl breaker list")
        await self.scene.provider.set(Door.OPEN)
        await ana.types("hubctl breaker try")


class SpokeGone(Trouble):
    """The spoke is killed, and nobody starts it again before morning."""

    alert, page = "SpokeAway", "spoke-away.md"
    labels = SPOKE_LABELS

    async def begin(self) -> None:
        """It is killed."""
        self.scene.ground.stack.kill(PART)

    async def strike(self) -> None:
        """That is all."""

    async def end(self, ana: Person) -> None:
        """It is found, and started again."""
        await find(ana)
        await self.scene.ground.stack.start_part(PART)


class AccountGone(Trouble):
    """The account is taken out of the file, and the spoke started with that."""

    alert, page = "SpokeAway", "spoke-away.md"
    labels = SPOKE_LABELS

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._right = scene.accounts()

    async def begin(self) -> None:
        """The spoke, stopped for it, does not come back."""
        await self.scene.ground.stack.stop_part(PART)
        self.scene.write_accounts({})
        try:
            await self.scene.ground.stack.start_part(PART)
        except PartFailed:
            return
        self.scene.ground.report.expect("the spoke does not start without its account", False)

    async def strike(self) -> None:
        """That is all."""

    async def end(self, ana: Person) -> None:
        """The spoke's own log names what is wrong; it is put back."""
        await find(ana)
        said = self.scene.ground.stack.tail(PART)
        ana.report.expect("the spoke's log names it", "default" in said and "stripe.json" in said, said)
        self.scene.write_accounts(self._right)
        await self.scene.ground.stack.start_part(PART)


async def find(ana: Person) -> None:
    """Looks for what is away, as the page says."""
    parts = (await ana.types("hubctl status", expect=NOT_READY)).value["parts"]
    away = [name for name, part in parts.items() if not part["ready"]]
    ana.report.expect("the status names the spoke alone", away == [PART], away)
    await ana.types("hubctl alerts")


TROUBLES: dict[str, type[Trouble]] = {
    "wrong-key": WrongKey,
    "throttled": Throttled,
    "spoke-away": SpokeGone,
    "account-gone": AccountGone,
}
