"""What the tests share: an alert to raise, and a desk whose clock is moved by hand."""

from sqlalchemy.ext.asyncio import AsyncEngine

from hub.alerts.model import Alert, Alerting, AlertSink
from hub.alerts.store import PostgresAlertStore
from mesh.clock import SystemClock
from tests.fakes import HandClock


def alert(cause: str = "provider_down", *, summary: str = "3 jobs are dead") -> Alert:
    """An alert that names its cause in its key and in its labels."""
    return Alert(
        key=f"DeadLetters/stripe/default/{cause}",
        name="DeadLetters",
        severity="SEV1",
        labels={"provider": "stripe", "account": "default", "cause": cause},
        summary=summary,
        runbook="docs/runbooks/provider-down.md",
    )


class Desk:
    """Alerts in a real database, and a clock that begins with the real time."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.store = PostgresAlertStore(engine)
        self.clock = HandClock(SystemClock().now())

    def alerting(self, sink: AlertSink) -> Alerting:
        """The duty for a sink, with backoffs of half their greatest length."""
        return Alerting(sink, store=self.store, clock=self.clock, draw=lambda: 0.5)

    async def tell(self, sink: AlertSink) -> None:
        """Runs the duty of a replica that has just begun until it has nothing more to do now."""
        duty = self.alerting(sink)
        while await duty.run_once() == 0:
            pass
