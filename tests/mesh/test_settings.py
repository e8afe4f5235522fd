"""What the environment may say, and what an error may show."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mesh.errors import SettingsError
from mesh.settings import Environment

SECRET = "hunter2"


def test_values_are_read_by_kind() -> None:
    environment = Environment(
        {"T": "text", "P": "some/path", "I": "-3", "S": "1.5", "A": "127.0.0.1:0", "H": "[::1]:65535"}
    )
    assert environment.text("T") == "text"
    assert environment.path("P") == Path("some/path")
    assert environment.integer("I") == -3
    assert environment.seconds("S") == 1.5
    assert environment.address("A") == "127.0.0.1:0"
    assert environment.address("H") == "[::1]:65535"


def test_a_missing_or_empty_variable_takes_its_default() -> None:
    environment = Environment({"EMPTY": ""})
    assert environment.text("EMPTY", default="d") == "d"
    assert environment.text("GONE", default="") == ""
    assert environment.path("GONE", default=Path("d")) == Path("d")
    assert environment.integer("GONE", default=0) == 0
    assert environment.seconds("GONE", default=0.5) == 0.5
    assert environment.address("GONE", default="localhost:1") == "localhost:1"


BAD: list[tuple[Callable[[Environment], object], str]] = [
    (lambda e: e.integer("V"), "V is not a whole number"),
    (lambda e: e.seconds("V"), "V is not a number of seconds"),
    (lambda e: e.address("V"), "V is not an address of the form host:port"),
    (lambda e: e.text("W"), "W is not set"),
    (lambda e: e.path("W"), "W is not set"),
    (lambda e: e.integer("N", least=8), "N is less than 8"),
    (lambda e: e.integer("N", most=6), "N is greater than 6"),
    (lambda e: e.seconds("M"), "M is not a time that can pass"),
    (lambda e: e.seconds("X"), "X is not a time that can pass"),
    (lambda e: e.address("B"), "B is not an address of the form host:port"),
    (lambda e: e.address("C"), "C is not an address of the form host:port"),
]


@pytest.mark.parametrize(("read", "message"), BAD)
def test_an_error_names_the_variable_and_never_its_value(
    read: Callable[[Environment], object], message: str
) -> None:
    values = {"V": SECRET, "N": "7", "M": "-1", "X": "inf", "B": "a:65536", "C": "a b:1", "W": ""}
    with pytest.raises(SettingsError) as caught:
        read(Environment(values))
    assert str(caught.value) == message
    assert SECRET not in repr(caught.value.__cause__)


def test_the_process_has_an_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESH_TEST_VARIABLE", "here")
    assert Environment.of_process().text("MESH_TEST_VARIABLE") == "here"
