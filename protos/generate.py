"""Generates the Python stubs beside the contracts, or checks that they are what protoc makes."""

import argparse
import filecmp
import sys
import tempfile
from pathlib import Path

from google.protobuf import descriptor_pb2
from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent


def sources(root: Path) -> list[str]:
    """The contracts below `root`, as paths relative to it."""
    return sorted(str(p.relative_to(root)) for p in (root / "integration").rglob("*.proto"))


def generate(root: Path, target: Path) -> None:
    """Writes the stubs of all contracts below `root` into `target`."""
    files = sources(root)
    _protoc(root, files, f"--python_out={target}", f"--pyi_out={target}")
    with_services = [f for f in files if _has_service(root, f)]
    _protoc(root, with_services, f"--grpc_python_out={target}")
    for folder in {target / Path(f).parent for f in files}:
        _make_package(folder, target)


def differences(root: Path) -> list[str]:
    """Names each stub below `root` that is missing, stale or without a contract."""
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch)
        generate(root, fresh)
        made = _stubs(fresh)
        return sorted(
            (made ^ _stubs(root))
            | {f for f in made & _stubs(root) if not filecmp.cmp(fresh / f, root / f, shallow=False)}
        )


def _protoc(root: Path, files: list[str], *options: str) -> None:
    include = Path(protoc.__file__).parent / "_proto"
    status = protoc.main(["protoc", f"-I{root}", f"-I{include}", *options, *files])
    if status:
        raise SystemExit(status)


def _has_service(root: Path, file: str) -> bool:
    with tempfile.NamedTemporaryFile() as image:
        _protoc(root, [file], f"--descriptor_set_out={image.name}")
        described = descriptor_pb2.FileDescriptorSet.FromString(Path(image.name).read_bytes())
    return bool(described.file[0].service)


def _make_package(folder: Path, target: Path) -> None:
    # protoc writes no __init__.py; without them import-linter would not see the stubs.
    while folder != target:
        name = ".".join(folder.relative_to(target).parts)
        (folder / "__init__.py").write_text(f'"""Generated stubs of {name}."""\n')
        (folder / "py.typed").touch()
        folder = folder.parent


def _stubs(root: Path) -> set[str]:
    found = (root / "integration").rglob("*.py*")
    return {str(p.relative_to(root)) for p in found if p.suffix in {".py", ".pyi"}}


def main() -> int:
    """Generates, or with --check only compares; exit code 1 names the differences."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--root", type=Path, default=ROOT, help="folder that holds integration/")
    options = parser.parse_args()
    if not options.check:
        for stub in _stubs(options.root):
            (options.root / stub).unlink()
        generate(options.root, options.root)
        return 0
    stale = differences(options.root)
    for name in stale:
        sys.stderr.write(f"{name} differs from what the contracts make; run `make protos`\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
