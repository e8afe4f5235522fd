"""Where the foreign test vectors lie; a test that needs them is skipped, visibly, without them."""

import os
from pathlib import Path

import pytest

_DEFAULT = Path(__file__).resolve().parents[4] / "shared" / "vectors"
ROOT = Path(os.environ.get("INTEGRATION_VECTORS", _DEFAULT))


def files(pattern: str) -> list[object]:
    """Returns one parameter per file, or one that is skipped."""
    found = sorted(ROOT.glob(pattern))
    if found:
        return [pytest.param(path, id=str(path.relative_to(ROOT))) for path in found]
    return [pytest.param(ROOT, marks=pytest.mark.skip(reason=f"no test vectors under {ROOT}"))]
