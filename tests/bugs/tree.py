"""Copies of the working tree, for tests that must not touch it."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_LEFT_OUT = (".git", ".venv", ".local", ".hypothesis", ".*_cache")


def copy_source(target: Path) -> None:
    """Copies everything but what is made from it."""
    shutil.copytree(ROOT, target, ignore=shutil.ignore_patterns(*_LEFT_OUT, "__pycache__"), symlinks=True)


def copy_copy(source: Path, target: Path) -> None:
    """Copies a copy, with the bytecode that it has by now."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*_LEFT_OUT), symlinks=True)
