"""What a follow-up names: work at a provider that one of the tenant's own jobs has made."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any, NamedTuple

from google.protobuf.descriptor import Descriptor

from hub.errors import ReferenceNotYours
from hub.intake.new_jobs import Asked
from integration.common.v1 import operation_pb2

MOST_FOUND = 10_000

_PROVIDER_REFERENCE: Any = operation_pb2.provider_reference


class Reference(NamedTuple):
    """How a provider names a piece of work, and whose it has to be."""

    tenant: str
    lane: str
    text: str


class References:
    """Refuses follow-ups on others' work. `made`: whether a job of the tenant's in the lane has made it."""

    def __init__(self, made: Callable[[Reference], Awaitable[bool]]) -> None:
        self._made = made
        self._found: OrderedDict[Reference, None] = OrderedDict()

    async def check(self, asked: Asked, lane: str) -> None:
        """Raises ReferenceNotYours, in the same words for what is another's and for what there is not."""
        for name in _fields(asked.request.DESCRIPTOR):
            text = getattr(asked.request, name)
            if text and not await self._is_made(Reference(asked.context.tenant, lane, text)):
                raise ReferenceNotYours(
                    f"no job of the tenant in lane {lane} has made it", field=name, lane=lane
                )

    async def _is_made(self, reference: Reference) -> bool:
        # What a job has made stays made, so nobody asks for it twice; what is not made may be at any time.
        if reference not in self._found:
            if not await self._made(reference):
                return False
            self._found[reference] = None
            if len(self._found) > MOST_FOUND:
                self._found.popitem(last=False)
        return True


@cache
def _fields(descriptor: Descriptor) -> tuple[str, ...]:
    return tuple(f.name for f in descriptor.fields if f.GetOptions().Extensions[_PROVIDER_REFERENCE])
