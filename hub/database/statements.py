"""The SQL of a slice, read from the files beside its store."""

import re
from importlib.resources import files

from sqlalchemy import TextClause, text

_PART = re.compile(r"\{(\w+)/(\w+)\}")


def read(package: str, name: str) -> TextClause:
    """The statement in `sql/<name>.sql` of a package of the hub.

    `{slice/part}` in it stands for the text of `hub/<slice>/sql/parts/<part>.sql`.
    """
    return text(_source(package, name))


def _source(package: str, name: str) -> str:
    source = files(package).joinpath("sql", f"{name}.sql").read_text().rstrip()
    return _PART.sub(lambda part: _source(f"hub.{part[1]}", f"parts/{part[2]}"), source)
