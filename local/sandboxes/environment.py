"""The Python environment of the stand-ins that are not written here: run, never imported."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from hubctl.errors import PartFailed
from local.stack.layout import Layout

_HERE = Path(__file__).parent


def environment(layout: Layout) -> Path:
    """The stand-ins' Python environment, made by `build`."""
    return layout.cache / "sandboxes"


def build(layout: Layout) -> None:
    """Installs the stand-ins, as locked, unless that is done."""
    target, stamp = environment(layout), layout.cache / "sandboxes.stamp"
    files = sorted(_HERE.glob("*/requirements.txt"))
    wanted = hashlib.sha256(b"".join(file.read_bytes() for file in files) + sys.version.encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted and python(layout).exists():
        return
    stamp.unlink(missing_ok=True)
    layout.cache.mkdir(parents=True, exist_ok=True)
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is None:
        raise PartFailed("uv is needed to install the providers' stand-ins: make .venv")
    _run([uv, "venv", "--clear", "--python", sys.executable, str(target)])
    locked = [option for file in files for option in ("-r", str(file))]
    _run([uv, "pip", "install", "--python", str(python(layout)), "--require-hashes", *locked])
    stamp.write_text(wanted)


def python(layout: Layout) -> Path:
    """The interpreter that runs a stand-in."""
    return environment(layout) / "bin" / "python"


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PartFailed(f"the providers' stand-ins cannot be installed: {done.stderr.strip()[-500:]}")
