"""Core's side of reads: what it asks, what it is told, and what is left behind."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.database.engine import open_engine
from integration.common.v1 import context_pb2
from integration.payments.v1 import payments_service_pb2 as payments
from integration.payments.v1 import payments_service_pb2_grpc
from mesh.errors import ErrorDetails, details_of
from tests.operations.office import TENANT, Office

_NUMBERS = itertools.count(1)


@dataclass
class ReadingDesk:
    """One payment of `acme`'s, and those who read it."""

    office: Office
    engine: AsyncEngine
    payment_id: str

    @classmethod
    @asynccontextmanager
    async def of(cls, office: Office, owner_url: str) -> AsyncIterator["ReadingDesk"]:
        """The desk, once the payment is made and proven."""
        made = await office.charge(1, wait=10)
        engine = open_engine(owner_url)
        desk = cls(office, engine, made.provider_reference)
        async with asyncio.timeout(10):
            while (await desk.rows())["outbox"]:
                await asyncio.sleep(0.02)
        yield desk
        await engine.dispose()

    async def read(
        self,
        payment_id: str = "",
        *,
        timeout: float | None = 10,
        core: grpc.aio.Channel | None = None,
        **context: Any,
    ) -> Any:
        """The response to a read; the request is tried once unless the test says otherwise."""
        fields = {"request_id": f"read-{next(_NUMBERS)}", "tenant": TENANT, "retry": {"max_attempts": 1}}
        request = payments.GetPaymentRequest(
            context=context_pb2.RequestContext(**{**fields, **context}),
            payment_id=payment_id or self.payment_id,
        )
        stub = payments_service_pb2_grpc.PaymentsServiceStub(core or self.office.whole.core)
        return await stub.GetPayment(request, timeout=timeout)

    async def refusal(self, payment_id: str = "", **asked: Any) -> tuple[grpc.StatusCode, ErrorDetails]:
        """Status and details of a read that must fail."""
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await self.read(payment_id, **asked)
        details = details_of(refused.value)
        assert details is not None, refused.value
        return refused.value.code(), details

    async def rows(self) -> dict[str, int]:
        """How many rows the tables of the hub's database hold, but for living replicas and the log's head."""
        async with self.engine.connect() as connection:
            names = await connection.execute(
                text("SELECT relname FROM pg_stat_user_tables WHERE schemaname = 'public'")
            )
            tables = sorted(set(names.scalars()) - {"log_head", "replica", "alembic_version"})
            return {
                name: (await connection.execute(text(f"SELECT count(*) FROM {name}"))).scalar_one()
                for name in tables
            }
