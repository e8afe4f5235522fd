"""The SQL of the store, read once from the files beside it."""

import re
from importlib.resources import files

from sqlalchemy import TextClause, text

_PART = re.compile(r"\{(\w+)\}")


def read(name: str) -> TextClause:
    """The statement in `sql/<name>.sql`; `{part}` in it stands for the text of `sql/parts/<part>.sql`."""
    return text(_source(name))


def _source(name: str) -> str:
    source = (files("hub.store.sql") / f"{name}.sql").read_text().rstrip()
    return _PART.sub(lambda part: _source(f"parts/{part[1]}"), source)


ACCEPT = read("accept")
ACQUIRE_LANES = read("acquire_lanes")
ADOPT = read("adopt")
BACKLOG = read("backlog")
BEGIN_ATTEMPTS = read("begin_attempts")
CLAIM = read("claim")
CLEAR_OUTBOX = read("clear_outbox")
END_JOBS = read("end_jobs")
EXPIRE = read("expire")
FIRST_JOBS = read("first_jobs")
GET_JOBS = read("get_jobs")
HANDLE_EVENTS = read("handle_events")
HELD_EVENTS = read("held_events")
HELD_JOBS = read("held_jobs")
JOB_FOR_EVENT = read("job_for_event")
JOBS_FOR_EVENTS = read("jobs_for_events")
KEEP_EVENTS = read("keep_events")
KEPT_EVENT = read("kept_event")
LANES_OF_ENDED = read("lanes_of_ended")
LIST_JOBS = read("list_jobs")
NEWEST_CURSOR = read("newest_cursor")
NEXT_DUE = read("next_due")
READ_EVENTS = read("read_events")
READ_OUTBOX = read("read_outbox")
RELEASE_LANES = read("release_lanes")
REPLACE_EVENTS = read("replace_events")
SAVE_BREAKER = read("save_breaker")
SAVE_THROTTLE = read("save_throttle")
SETTLE = read("settle")
