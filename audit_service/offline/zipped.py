"""The files of a bundle, out of a zip file that holds them and not a byte more."""

import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

MANIFEST, SEALED, CHECKPOINT, VKEY = "manifest.json", "manifest.dsse.json", "checkpoint", "keys/vkey"
PLAIN_FILES = {MANIFEST, SEALED, CHECKPOINT, VKEY, "README.txt"}
NUMBERED = re.compile(
    r"(entries|keys)/(0|[1-9]\d{0,17})\.json|(proofs|keys)/(0|[1-9]\d{0,17})\.tlog-proof", re.A
)
MAX_FILES, MAX_FILE_BYTES, MAX_TOTAL_BYTES = 65_535, 16 << 20, 256 << 20
LOCAL_HEADER, CENTRAL_HEADER, END_RECORD = 30, 46, 22


class Invalid(Exception):
    """The bundle does not prove what it should; names the file at fault."""

    def __init__(self, file: str, what: str) -> None:
        super().__init__(f"{file}: {what}")


def read_files(path: Path) -> dict[str, bytes]:
    """Returns the files by name; Invalid if the zip is odd in any way."""
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            if archive.comment or len(infos) > MAX_FILES or sum(i.file_size for i in infos) > MAX_TOTAL_BYTES:
                raise Invalid(path.name, "too large, or with a comment")
            files: dict[str, bytes] = {}
            for info in infos:
                _check_info(info, files)
                files[info.filename] = archive.read(info)
            if not _nothing_else(infos, archive.start_dir, path.stat().st_size):
                raise Invalid(path.name, "holds bytes that belong to none of its files")
    except (OSError, zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise Invalid(path.name, f"not a readable zip file ({error})") from error
    return files


def _check_info(info: zipfile.ZipInfo, files: dict[str, bytes]) -> None:
    name = info.filename.encode("unicode_escape").decode()[:200]
    if info.filename in files:
        raise Invalid(name, "in the zip twice")
    if info.filename not in PLAIN_FILES and not NUMBERED.fullmatch(info.filename):
        raise Invalid(name, "has no place in a bundle")
    if info.compress_type != zipfile.ZIP_STORED or info.file_size > MAX_FILE_BYTES:
        raise Invalid(name, "compressed, or too large")


def _nothing_else(infos: Sequence[zipfile.ZipInfo], directory: int, size: int) -> bool:
    """Tells whether headers and files follow one another from the first byte to the last."""
    place = 0
    for info in infos:
        if info.header_offset != place or info.extra or info.comment:
            return False
        # A writer that cannot seek puts sizes and checksum behind the file.
        behind = 16 if info.flag_bits & 0x08 else 0
        place += LOCAL_HEADER + len(info.filename) + info.file_size + behind
    end = directory + sum(CENTRAL_HEADER + len(info.filename) for info in infos) + END_RECORD
    return directory == place and end == size
