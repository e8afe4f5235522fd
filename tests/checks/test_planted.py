"""A planted fault is caught: checks that never fail check nothing."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("mesh", "hub", "audit_service", "spokes", "hubctl", "local")


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs a tool of the environment that the tests run in, on a copy of the tree."""
    path = f"{cwd}:{cwd / 'protos'}"
    return subprocess.run(
        [str(c) for c in command],
        cwd=cwd,
        env={"PYTHONPATH": path, "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(cwd)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the packages, the contracts and the configuration."""
    ignore = shutil.ignore_patterns("__pycache__")
    for package in (*PACKAGES, "protos"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint_imports(tree: Path) -> subprocess.CompletedProcess[str]:
    """Checks who imports whom."""
    return run(Path(sys.executable).with_name("lint-imports"), "--no-cache", cwd=tree)


def test_the_tree_as_it_is_keeps_the_layers(tree: Path) -> None:
    checked = lint_imports(tree)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("hub/jobs/store.py", "import hub.lanes.store", "The hub's slices"),
        ("hub/lanes/lane.py", "import hub.events.model", "The hub's slices"),
        ("hub/plans/model.py", "import hub.peers.notary", "The hub's slices"),
        ("hub/jobs/decide.py", "import mesh.clock", "Decisions and loops need only the standard library"),
        ("hub/jobs/convert.py", "import sqlalchemy", "SQL only in the stores"),
        (
            "hub/app.py",
            "import local.stack",
            "The services know nothing of the command line and the local stack",
        ),
        (
            "hubctl/rpc.py",
            "import hub.errors",
            "The command line and the local stack know the services from outside",
        ),
        ("hubctl/rpc.py", "import local.stack.layout", "The command line knows no local stack"),
        ("hub/app.py", "import spokes.kit", "Deployables meet only in the contracts"),
        ("mesh/clock.py", "import audit_service", "The mesh and the contracts know no deployable"),
        (
            "protos/integration/jobs/v1/job_pb2.py",
            "import hub",
            "The mesh and the contracts know no deployable",
        ),
        ("spokes/echo/spoke.py", "import spokes.stripe", "No spoke knows another, and the kit knows none"),
        ("spokes/echo/spoke.py", "import ray", "Ray only in the pool"),
    ],
)
def test_a_planted_layer_violation_is_caught(tree: Path, module: str, line: str, contract: str) -> None:
    path = tree / module
    path.write_text(f"{path.read_text()}\n{line}\n")
    checked = lint_imports(tree)
    assert checked.returncode != 0
    assert f"{contract} BROKEN" in checked.stdout


def check_stubs(tree: Path) -> subprocess.CompletedProcess[str]:
    """Compares the stubs with what the contracts make."""
    return run(sys.executable, "protos/generate.py", "--check", cwd=tree)


def test_the_stubs_are_what_the_contracts_make(tree: Path) -> None:
    checked = check_stubs(tree)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(
    "stub", ["jobs/v1/job_pb2.py", "spoke/v1/spoke_service_pb2_grpc.py", "jobs/v1/job_pb2.pyi"]
)
def test_a_planted_stub_difference_is_caught_and_named(tree: Path, stub: str) -> None:
    path = tree / "protos/integration" / stub
    path.write_text(path.read_text() + "\n# planted\n")
    checked = check_stubs(tree)
    assert checked.returncode == 1
    assert f"integration/{stub} differs" in checked.stderr


def test_a_contract_without_its_stub_is_caught(tree: Path) -> None:
    (tree / "protos/integration/jobs/v1/job_pb2.py").unlink()
    assert check_stubs(tree).returncode == 1


def test_a_planted_breaking_change_of_a_contract_is_caught(tree: Path) -> None:
    contract = tree / "protos/integration/jobs/v1/job.proto"
    contract.write_text(contract.read_text().replace("string tenant = 6;", "string renter = 6;"))
    buf = Path(sys.executable).with_name("buf")
    checked = run(buf, "breaking", "--against", "baseline.binpb", cwd=tree / "protos")
    assert checked.returncode != 0
    assert "tenant" in checked.stdout
