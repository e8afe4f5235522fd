"""A spoke's worker in this process, asked as its server would ask it."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from google.protobuf.timestamp_pb2 import Timestamp

from integration.spoke.v1 import outcome_pb2
from integration.spoke.v1 import spoke_service_pb2 as pb
from mesh.clock import SystemClock
from spokes.kit import envelope, registry
from spokes.kit.envelope import Task, Verdict
from spokes.kit.inline import Recipe
from spokes.kit.specimen import JOB_ID
from spokes.kit.worker import Worker
from tests.spokes.harness import account, operation

KEY = "key-0123456789"
API_KEY = "sk_canary_0815"


class Bench:
    """One worker, and the questions for it."""

    def __init__(self, name: str, worker: Worker) -> None:
        self.name = name
        self.worker = worker
        self.specimen = registry.specimen(name)

    async def ask(
        self, rpc: str, *, task: Task = Task.EXECUTE, key: str = KEY, seconds: float = 5.0, number: int = 1
    ) -> outcome_pb2.Outcome:
        """What an attempt with the specimen's request comes to."""
        attempt = pb.Attempt(
            attempt_id=f"{JOB_ID}.{number}",
            job_id=JOB_ID,
            operation=operation(self.name, rpc),
            account="default",
            request=self.specimen.requests[rpc].SerializeToString(),
            provider_key=key,
            trace={"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
        )
        attempt.job_create_time.GetCurrentTime()
        deadline = SystemClock().now().timestamp() + seconds
        verdict, body = envelope.read(await self.worker.run(envelope.pack(task, deadline, attempt)))
        assert verdict is Verdict.DONE
        return outcome_pb2.Outcome.FromString(body)

    async def hear(
        self, body: bytes, headers: Mapping[str, str], received_at: int, **call: str
    ) -> tuple[Verdict, bytes]:
        """What the worker makes of a webhook; `call` may say method, url and query."""
        request = pb.ParseWebhookRequest(
            account="default",
            headers=[pb.HttpHeader(name=name.lower(), value=value) for name, value in headers.items()],
            body=body,
            receive_time=Timestamp(seconds=received_at),
            **call,  # type: ignore[arg-type]
        )
        deadline = SystemClock().now().timestamp() + 5
        return envelope.read(await self.worker.run(envelope.pack(Task.PARSE_WEBHOOK, deadline, request)))


@asynccontextmanager
async def bench(name: str, base_url: str, directory: Path) -> AsyncIterator[Bench]:
    """Makes the worker of a spoke whose provider is at `base_url`."""
    secrets = list(registry.specimen(name).webhook_secrets)
    file = directory / "accounts.json"
    file.write_text(json.dumps(account(base_url, **({"webhook_secrets": secrets} if all(secrets) else {}))))
    worker = Recipe(name, str(file), "conformance").make()
    try:
        yield Bench(name, worker)
    finally:
        await worker.close()
