"""The SQL of a slice, read from the files beside its store."""

import re
from collections.abc import Callable
from enum import IntEnum
from importlib.resources import files

from sqlalchemy import TextClause, text

_PART = re.compile(r"\{(\w+)/(\w+)\}")
_NAME = re.compile(r"\{(\w+)(?:\.(\w+))?\}")


def reader(package: str, *enums: type[IntEnum], **words: str) -> Callable[[str], TextClause]:
    """A function that reads the statement in `sql/<name>.sql` of a package of the hub.

    `{slice/part}` in it stands for the text of `hub/<slice>/sql/parts/<part>.sql`, `{Enum.MEMBER}` for the
    number of a member of one of `enums`, `{WORD}` for one of `words`. Raises KeyError for a name nobody gave.
    """
    numbers = {enum.__name__: {member.name: str(int(member)) for member in enum} for enum in enums}

    def said(name: re.Match[str]) -> str:
        return numbers[name[1]][name[2]] if name[2] else words[name[1]]

    return lambda name: text(_NAME.sub(said, _source(package, name)))


def _source(package: str, name: str) -> str:
    source = files(package).joinpath("sql", f"{name}.sql").read_text().rstrip()
    return _PART.sub(lambda part: _source(f"hub.{part[1]}", f"parts/{part[2]}"), source)
