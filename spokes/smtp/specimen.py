"""Nothing of SMTP is HTTP: its faults are in tests/spokes/test_smtp.py."""

from spokes.kit.specimen import Specimen


def specimen() -> Specimen:
    """An empty specimen."""
    return Specimen()
