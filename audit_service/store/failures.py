"""What the database's troubles mean to the log."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from audit_service.errors import AlreadyThere, LogInconsistent, LogUnavailable, Overloaded

UNIQUE_VIOLATION = "23505"


@contextmanager
def translated() -> Iterator[None]:
    """Turns every trouble of the database into a LogUnavailable, without its text: that may hold data.

    Where only all connections are in use, it is Overloaded.
    """
    try:
        yield
    except NoConnectionFree as error:
        raise Overloaded("all connections to the log's database are in use") from error
    except IntegrityError as error:
        if getattr(error.orig, "sqlstate", None) == UNIQUE_VIOLATION:
            raise AlreadyThere("the database holds a statement that was thought to be new") from error
        raise LogInconsistent("the database holds what the log does not know of") from error
    except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise LogUnavailable(f"the log's database fails: {type(error).__name__}") from error
