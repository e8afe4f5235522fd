"""Fixtures that tests of every part share."""

from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from tests.postgres import (
    audit_database,
    audit_template,
    empty_audit_database,
    empty_hub_database,
    hub_database,
    hub_template,
    postgres_server,
)

__all__ = [
    "audit_database",
    "audit_template",
    "empty_audit_database",
    "empty_hub_database",
    "hub_database",
    "hub_template",
    "postgres_server",
]

# Where CI is set, Hypothesis would try the same examples every time, and take as long as it likes.
settings.load_profile("default")

_WHOLE_STACKS = ("tests/docs/", "tests/e2e/", "tests/faults/", "tests/stack/")


class TogetherScheduling(LoadScopeScheduling):
    """Where several processes share the tests, those of a file stay together, and so do all that start whole
    stacks: two at once would ask for the same ports and install the same stand-ins.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        return "whole stacks" if file.startswith(_WHOLE_STACKS) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> TogetherScheduling:
    """Says how tests are shared."""
    return TogetherScheduling(config, log)
