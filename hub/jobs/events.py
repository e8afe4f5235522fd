"""What a provider's webhook says."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ArrivedEvent:
    """A verified event. `outcome` and `confirmation` are opaque bytes; empty where there is none."""

    lane: str
    event_id: str
    type: str
    job_id: str
    outcome: bytes
    confirmation: bytes


class WebhookRefused(Exception):
    """The webhook is not the provider's: forged, stale, or not for this account."""
