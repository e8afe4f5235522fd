"""Ids of jobs."""

from datetime import datetime
from uuid import UUID


def job_id(now: datetime, chance: bytes) -> str:
    """A UUIDv7 (RFC 9562) of `now`, in milliseconds, and 10 random bytes: sorts by time."""
    millis = int(now.timestamp() * 1000).to_bytes(6, "big")
    raw = bytearray(millis + chance[:10])
    raw[6] = 0x70 | (raw[6] & 0x0F)
    raw[8] = 0x80 | (raw[8] & 0x3F)
    return str(UUID(bytes=bytes(raw)))
