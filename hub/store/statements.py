"""The SQL of the store, read once from the files beside it."""

from importlib.resources import files

from sqlalchemy import TextClause, text


def _read(name: str) -> TextClause:
    return text((files("hub.store.sql") / f"{name}.sql").read_text())


ACCEPT = _read("accept")
ACQUIRE_LANES = _read("acquire_lanes")
ADOPT = _read("adopt")
BEGIN_ATTEMPTS = _read("begin_attempts")
CLAIM = _read("claim")
CLEAR_OUTBOX = _read("clear_outbox")
END_JOB = _read("end_job")
EXPIRE = _read("expire")
FIRST_JOBS = _read("first_jobs")
GET_JOB = _read("get_job")
HANDLE_EVENT = _read("handle_event")
HELD_EVENTS = _read("held_events")
JOB_FOR_EVENT = _read("job_for_event")
KEEP_EVENT = _read("keep_event")
LIST_JOBS = _read("list_jobs")
NEWEST_CURSOR = _read("newest_cursor")
NEXT_DUE = _read("next_due")
READ_EVENTS = _read("read_events")
READ_OUTBOX = _read("read_outbox")
RELEASE_LANES = _read("release_lanes")
SETTLE = _read("settle")
TRACE_OF_JOB = _read("trace_of_job")
