"""The fenced blocks of the README."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str, page: Path = ROOT / "README.md") -> list[str]:
    """The blocks in a language, in order."""
    return [body for kind, body in _FENCE.findall(page.read_text()) if kind == language]


def commands(page: Path = ROOT / "README.md") -> list[str]:
    """Every command line in the shell blocks, without comments and assignments."""
    lines = [line.split("#")[0].strip() for block in blocks("sh", page) for line in block.splitlines()]
    return [re.sub(r"^(\w+=\S+ )+", "", line) for line in lines if line]
