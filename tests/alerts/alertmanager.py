"""A real Alertmanager: from PATH, or unpacked from the system's package into the cache, without root."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from local.stack.layout import Layout

PACKAGE = "prometheus-alertmanager"
SHARE = "usr/share/prometheus/alertmanager"
APT_SECONDS = 120
START_SECONDS = 20.0
CONFIG = """
route: {receiver: nobody}
receivers: [{name: nobody}]
"""


class Missing(Exception):
    """There is no Alertmanager, and none can be had; says why."""


def is_required() -> bool:
    """Whether a test fails that finds none: where the environment variable CI is set."""
    return bool(os.environ.get("CI"))


def program() -> str:
    """The path of the program; raises Missing."""
    kept = Layout.at().cache / "alertmanager" / "usr" / "bin" / PACKAGE
    found = shutil.which(PACKAGE) or shutil.which("alertmanager")
    if found is None and not kept.exists():
        _fetch(kept.parents[2])
    return found or str(kept)


def _fetch(target: Path) -> None:
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise Missing("alertmanager is not on PATH, and there is no apt-get to fetch it with")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        directory = Path(name)
        _download(directory)
        (package,) = directory.glob("*.deb")
        _run("dpkg-deb", "-x", str(package), str(directory / "tree"), cwd=directory)
        _move(directory / "tree" / "usr" / "bin" / PACKAGE)
        with contextlib.suppress(OSError):  # another run was faster
            (directory / "tree").rename(target)


def _move(program: Path) -> None:
    """Debian's build opens its templates below /usr; made to open them in its working directory."""
    there = f"/{SHARE}".encode()
    program.write_bytes(program.read_bytes().replace(there, b"/proc/self/cwd".ljust(len(there), b"/")))


def _download(directory: Path) -> None:
    """With the system's lists of packages; where they are missing or old, with lists of our own."""
    try:
        _run("apt-get", "download", PACKAGE, cwd=directory)
    except Missing:
        for part in ("lists/partial", "cache/archives/partial"):
            (directory / part).mkdir(parents=True)
        own = [f"Dir::State::lists={directory}/lists", f"Dir::Cache={directory}/cache", "Debug::NoLocking=1"]
        options = [word for option in own for word in ("-o", option)]
        _run("apt-get", *options, "update", cwd=directory)
        _run("apt-get", *options, "download", PACKAGE, cwd=directory)


def _run(*command: str, cwd: Path) -> None:
    try:
        done = subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, timeout=APT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise Missing(f"{command[0]} does not come to an end") from None
    if done.returncode != 0:
        raise Missing(f"{' '.join(command[:1])} fails: {done.stderr.strip()[-300:]}")


class Alertmanager:
    """One server on a port that stays the same. What it is told it keeps in memory only."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._program = program()
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._address = f"127.0.0.1:{probe.getsockname()[1]}"
        self.url = f"http://{self._address}"
        (directory / "alertmanager.yml").write_text(CONFIG)

    def start(self) -> None:
        """Starts it; returns when it is ready."""
        share = Path(self._program).parents[2] / SHARE
        with (self._directory / "alertmanager.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    self._program,
                    f"--config.file={self._directory}/alertmanager.yml",
                    f"--storage.path={self._directory}/data",
                    f"--web.listen-address={self._address}",
                    "--cluster.listen-address=",
                ],
                cwd=share if share.exists() else None,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            assert time.monotonic() < deadline, (self._directory / "alertmanager.log").read_text()
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = self._process.wait(0.02)
                raise AssertionError(f"{code}: {(self._directory / 'alertmanager.log').read_text()}")

    def stop(self) -> None:
        """Kills it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def alerts(self) -> list[dict[str, Any]]:
        """What fires, as it tells it."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=5) as response:
            alerts: list[dict[str, Any]] = json.load(response)
        return alerts

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=1):
                return True
        except (urllib.error.URLError, OSError):
            return False


def main() -> None:
    """Has one ready for those who come later; says so if none can be had."""
    try:
        print(program())
    except Missing as missing:
        sys.exit(str(missing))


if __name__ == "__main__":
    main()
