"""Which caller may act for which tenant."""

import json
from collections.abc import Mapping
from pathlib import Path

from hub.errors import TenantNotPermitted
from mesh.caller import current_caller

ANY = "*"
ACROSS_TENANTS = frozenset({"operator", "auditor"})


class Tenants:
    """The table caller → tenants; a caller that is not in it may act for none."""

    def __init__(self, table: Mapping[str, frozenset[str]]) -> None:
        self._table = table

    @classmethod
    def load(cls, path: Path) -> "Tenants":
        """Reads `{"spiffe://…": ["tenant", …]}`; `"*"` stands for all."""
        return cls({caller: frozenset(tenants) for caller, tenants in json.loads(path.read_text()).items()})

    def check(self, tenant: str) -> None:
        """Raises TenantNotPermitted unless the current caller may act for `tenant`."""
        caller = current_caller()
        allowed = self._table.get(str(caller), frozenset())
        if caller.role not in ACROSS_TENANTS and not allowed & {tenant, ANY}:
            raise TenantNotPermitted(f"{caller} may not act for tenant {tenant}", tenant=tenant)
