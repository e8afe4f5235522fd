"""A small stack, real in every part: Postgres, the log, the hub, one spoke in its own process, Envoy."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack.layout import Layout
from local.stack.parts import INLINE
from local.stack.ports import free_block
from local.stack.stack import Options, Stack


@pytest.fixture(scope="session")
def small_stack() -> Iterator[Stack]:
    """The stack, ready. Whoever kills a part of it starts it again."""
    state = Path(tempfile.mkdtemp(prefix="stack-"))
    options = Options(Layout.at(state), base_port=free_block(), spokes=("echo",), pool=INLINE)
    stack = Stack(options)
    asyncio.run(stack.start())
    yield stack
    asyncio.run(stack.stop())
    shutil.rmtree(state)
