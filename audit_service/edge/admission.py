"""Verifies the statements of a request: the signatures in threads, where there are enough of them."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from audit_service.log.entry import Candidate, Entry, Refusal, read_candidate, verify_candidate
from mesh.evidence.keys import Producer

_FEW: Final = 8
_CHUNK: Final = 32
_THREADS: Final = 2


class Admission:
    """Turns envelopes into entries or refusals, in order."""

    def __init__(self, producers: Mapping[str, Producer]) -> None:
        self._producers = producers
        self._threads = ThreadPoolExecutor(_THREADS, "signatures")

    async def admit(self, envelopes: Sequence[bytes]) -> list[Entry | Refusal]:
        """Answers for each envelope."""
        if len(envelopes) <= _FEW:
            return _admit(envelopes, self._producers)
        loop = asyncio.get_running_loop()
        starts = range(0, len(envelopes), _CHUNK)
        chunks = [
            loop.run_in_executor(self._threads, _admit, envelopes[start : start + _CHUNK], self._producers)
            for start in starts
        ]
        return [item for chunk in await asyncio.gather(*chunks) for item in chunk]

    def close(self) -> None:
        """Ends the threads."""
        self._threads.shutdown(wait=False)


def _admit(envelopes: Sequence[bytes], producers: Mapping[str, Producer]) -> list[Entry | Refusal]:
    candidates = [read_candidate(envelope, producers) for envelope in envelopes]
    return [verify_candidate(item) if isinstance(item, Candidate) else item for item in candidates]
