"""gunicorn's settings for localstripe, read in its own environment: no dumps, and lists that stay fast.

It dumps into a fixed file of /tmp after every change, and looks through all that it holds for every list,
a dozen times per payment.
"""

from collections import defaultdict
from typing import Any

from localstripe.errors import UserError
from localstripe.resources import List, Store, StripeObject

# As real providers do. With gunicorn's 2 s a client's next request meets the end of its connection.
keepalive = 75

_by_kind: dict[str, dict[str, Any]] = defaultdict(dict)


def _set(store: dict[str, Any], key: str, value: Any) -> None:
    dict.__setitem__(store, key, value)
    _by_kind[key.partition(":")[0]][key] = value


def _delete(store: dict[str, Any], key: str) -> None:
    dict.__delitem__(store, key)
    del _by_kind[key.partition(":")[0]][key]


def _clear(store: dict[str, Any]) -> None:
    dict.clear(store)
    _by_kind.clear()


def _list(kind: Any, /, url: str, limit: Any = None, starting_after: Any = None, **unknown: Any) -> Any:
    if unknown:
        raise UserError(400, "Unexpected " + ", ".join(unknown))
    listed = List(url, limit=limit, starting_after=starting_after)
    listed._list = list(_by_kind[kind.object].values())
    return listed


Store.dump_to_disk = lambda _: None
Store.__setitem__, Store.__delitem__, Store.clear = _set, _delete, _clear
StripeObject._api_list_all = classmethod(_list)
