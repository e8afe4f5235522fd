"""What providers say, on its whole way out: from the store through the running hub to Core's endpoint."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from hub.database.engine import open_engine
from tests.abuse.whole import running
from tests.alerts.receiver import SECRET, Receiver
from tests.hub.told import tell


async def test_the_running_hub_posts_what_a_tenant_is_told_to_its_endpoint(
    hub_database: Mapping[str, str], audit_database: Mapping[str, str], tmp_path: Path
) -> None:
    receiver = Receiver()
    await receiver.start()
    (tmp_path / "core-events").write_text(SECRET)
    events = {"url": receiver.url, "secret_file": "core-events", "allow_private": True}
    engine = open_engine(hub_database["hub_rw"])
    urls = {**hub_database, **audit_database}
    async with running(tmp_path, urls, {}, rights={"acme": {"events": events}}), asyncio.timeout(30):
        async with engine.begin() as connection:
            await tell(connection, "other", tenant="beta")
            await tell(connection, "evt")
        await receiver.came.wait()
    assert [body["data"]["eventId"] for body in receiver.verified()] == ["evt-1"]
    await engine.dispose()
    await receiver.stop()
