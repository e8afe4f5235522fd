"""The README's client does what the README says; a faulty one would be seen."""

from typing import Any

import grpc
import pytest

from integration.jobs.v1 import job_pb2
from tests.docs.readme import blocks
from tests.e2e.conftest import RunningStack


async def run_client(source: str, stack: RunningStack) -> Any:
    """Runs the snippet's `charge` against the stack."""
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    return await namespace["charge"](stack.place.address("core"), stack.place.identity("core", "demo"))


async def test_the_client_of_the_readme_charges_and_repeating_it_finds_the_same_job(
    stack: RunningStack,
) -> None:
    (source,) = blocks("python")
    first, again = [await run_client(source, stack) for _ in range(2)]
    assert first.job.state == job_pb2.JOB_STATE_SUCCEEDED
    assert first.payment.payment_id
    assert again.job.job_id == first.job.job_id


@pytest.mark.parametrize(
    ("sound", "faulty", "failure"),
    [
        ('tenant="acme"', 'tenant=""', grpc.aio.AioRpcError),
        ("minor_units=1250", "minor_unit=1250", ValueError),
        ("from mesh.channel", "from mesh.canal", ModuleNotFoundError),
    ],
)
async def test_a_planted_fault_in_the_readmes_client_is_caught(
    stack: RunningStack, sound: str, faulty: str, failure: type[Exception]
) -> None:
    (source,) = blocks("python")
    assert sound in source
    with pytest.raises(failure):
        await run_client(source.replace(sound, faulty), stack)
