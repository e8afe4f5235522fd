"""The page on tenants is true."""

from pathlib import Path

import pytest

from hub import tenants_file
from hub.errors import AccountNotAllowed
from tests.docs.readme import ROOT, blocks


def test_the_sample_is_read_and_means_what_the_page_says(tmp_path: Path) -> None:
    (sample,) = blocks("json", ROOT / "docs" / "tenants.md")
    file = tmp_path / "tenants.json"
    file.write_text(sample)
    tenants = tenants_file.load(file)
    assert tenants.rights("acme").account("stripe", "") == "acme-live"
    assert tenants.rights("acme").account("smtp", "") == "default"
    assert [tenants.rights(t).foreign_references for t in ("acme", "beta", "gamma")] == [False, True, False]
    with pytest.raises(AccountNotAllowed):
        tenants.rights("beta").account("stripe", "")
    with pytest.raises(AccountNotAllowed):
        tenants.rights("gamma").account("smtp", "")
