"""Ports that are taken are named, and so is who holds them."""

import contextlib
import os
import socket

import pytest

from hubctl.errors import PortTaken
from local.stack.ports import (
    BLOCK,
    DEFAULT_BASE,
    LOOPBACK,
    MOST_HUBS,
    Ports,
    free_block,
    refuse_if_taken,
    usual_or_free,
)


def test_a_taken_port_names_the_part_and_the_process_that_holds_it() -> None:
    with socket.create_server((LOOPBACK, 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(PortTaken) as refused:
            refuse_if_taken({"audit": port})
    assert f"{port} (audit) is held by process {os.getpid()}" in str(refused.value)


def test_free_ports_are_not_refused() -> None:
    refuse_if_taken(Ports(free_block(), ("echo", "smtp")).named())


def test_no_two_parts_share_a_port() -> None:
    ports = Ports(7400, tuple("abcdefghij"), hubs=MOST_HUBS)
    named = list(ports.named().values())
    first, last = ports.ray_workers
    assert len(set(named)) == len(named)
    assert max(named) < first < last < 7400 + BLOCK


def test_a_detour_is_taken_only_by_whoever_was_told_of_it() -> None:
    ports = Ports(7400, ("echo",), hubs=2)
    told = ports.seen_by({"audit": "127.0.0.1:1"})
    assert told.address("audit") == "127.0.0.1:1"
    assert told.address("hub-2") == ports.address("hub-2")
    assert ports.address("audit") != told.address("audit")


def test_a_stack_of_the_moment_steps_aside_when_the_usual_ports_are_taken() -> None:
    with socket.socket() as holder:
        with contextlib.suppress(OSError):  # then somebody else holds it
            holder.bind((LOOPBACK, DEFAULT_BASE))
            holder.listen()
        base = usual_or_free()
    assert base != DEFAULT_BASE
    refuse_if_taken(Ports(base).named())
