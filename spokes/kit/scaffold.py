"""`python -m spokes new`: a copy of the living echo under another name."""

import re
import shutil
from pathlib import Path
from typing import Final

from spokes.kit import capability
from spokes.kit.errors import BadManifest, UnknownCapability
from spokes.kit.manifest import MANIFEST_NAME, load_manifest

PATTERN: Final = "echo"
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}").fullmatch
_LEFT_OUT: Final = shutil.ignore_patterns("__pycache__", "*.pyc")


def new(name: str, wanted: str, *, root: Path) -> Path:
    """Makes the folder and returns it; refuses an unknown capability by naming those there are."""
    if not _NAME(name) or (root / name).exists():
        raise BadManifest(f"{name}: taken, or not lower case letters, digits and underscores")
    offered = load_manifest(root / PATTERN / MANIFEST_NAME).capabilities
    capability.operations(wanted)
    if wanted not in offered:
        raise UnknownCapability(f"the echo spoke shows {', '.join(offered)}, not yet {wanted}")
    shutil.copytree(root / PATTERN, root / name, ignore=_LEFT_OUT)
    for path in (p for p in (root / name).rglob("*") if p.is_file()):
        path.write_text(renamed(path.read_text(), name))
    return root / name


def renamed(text: str, name: str) -> str:
    """The text with echo's names replaced by the new spoke's, in each style of writing."""
    camel = "".join(part.capitalize() for part in name.split("_"))
    return re.sub(r"\bEcho(?=[A-Z]|\b)", camel, re.sub(r"\becho(?=[_.]|\b)", name, text))
