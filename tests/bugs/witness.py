"""A pytest plugin that writes down how each test ended, and any product code that is not the copy's."""

import json
import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

REPORT = "BUGS_REPORT"
"""The variable that says where the report goes."""

OURS = frozenset({"audit_service", "hub", "hubctl", "integration", "local", "mesh", "spokes", "tests"})

_ends: dict[str, dict[str, object]] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Notes the end of a test, or of what comes before or after it if that fails."""
    report = yield
    if report.when == "call" or not report.passed:
        error = call.excinfo.value if call.excinfo else None
        _ends.setdefault(
            item.nodeid,
            {
                "phase": report.when,
                "passed": report.passed,
                # What an assertion, `pytest.raises`, a timeout of the test or of pytest raises.
                "judged": isinstance(error, AssertionError | TimeoutError | pytest.fail.Exception),
                "said": f"{type(error).__name__}: {error}"[:300] if error else "",
            },
        )
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Writes the report."""
    here = Path.cwd().resolve()
    written: dict[str, Any] = {"ends": _ends, "foreign": _foreign(here)}
    Path(os.environ[REPORT]).write_text(json.dumps(written))


def _foreign(here: Path) -> list[str]:
    ours = [(n, m) for n, m in list(sys.modules.items()) if n.partition(".")[0] in OURS]
    files = [(name, getattr(module, "__file__", None)) for name, module in ours]
    return sorted(name for name, file in files if file and not Path(file).resolve().is_relative_to(here))
