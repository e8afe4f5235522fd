"""Files and functions stay small enough to be read at once."""

import ast
import subprocess
from collections.abc import Iterator

from tests.bugs.tree import ROOT

MOST_LINES = 400
MOST_OF_NINE_IN_TEN = 230
MOST_OF_A_FUNCTION = 50


def sources() -> dict[str, str]:
    """The product's and the tests' own code: what is generated is not written by anyone."""
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    names = [name for name in listed.stdout.splitlines() if not name.startswith("protos/integration/")]
    return {name: (ROOT / name).read_text() for name in names if (ROOT / name).exists()}


def functions(source: str) -> Iterator[tuple[str, int]]:
    """Each function and its lines."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or 0) - node.lineno + 1


def test_no_file_is_long() -> None:
    lines = {name: source.count("\n") for name, source in sources().items()}
    assert len(lines) > 100
    assert {name: n for name, n in lines.items() if n > MOST_LINES} == {}
    assert sorted(lines.values())[len(lines) * 9 // 10] <= MOST_OF_NINE_IN_TEN


def test_no_function_is_long() -> None:
    long = {
        f"{file}: {name}": n
        for file, source in sources().items()
        for name, n in functions(source)
        if n > MOST_OF_A_FUNCTION
    }
    assert long == {}
