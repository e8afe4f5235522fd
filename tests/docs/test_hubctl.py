"""The page on hubctl is true: its profile is read, its commands parse."""

from pathlib import Path

import pytest

from hubctl.main import hubctl
from hubctl.profile import Part, read
from tests.cli.parsing import parse
from tests.docs.readme import ROOT, blocks, commands

PAGE = ROOT / "docs" / "hubctl.md"


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """The page's profile, in a file."""
    (text,) = blocks("toml", PAGE)
    file = tmp_path / "production.toml"
    file.write_text(text)
    return file


def test_the_profile_of_the_page_is_read(sample: Path) -> None:
    profile = read(sample)
    assert (profile.trust_domain, profile.tenant) == ("payments.example", "acme")
    assert (profile.hub, profile.audit) == ("hub.payments.example:443", "audit.payments.example:443")
    assert set(profile.identities.folders) == {"operator", "auditor", "core"}
    assert profile.parts == [Part("edge", "http", "edge.payments.example:9901/ready")]
    assert profile.last_checkpoint == sample.with_name("last-checkpoint")


def test_the_directory_that_the_page_names_instead_is_read(sample: Path) -> None:
    lines = [line.removeprefix("# ") for line in sample.read_text().splitlines()]
    roles = ("operator", "auditor", "core")
    sample.write_text("\n".join(line for line in lines if not line.startswith(roles)))
    assert read(sample).identities.directory == Path("/etc/integration/people")


@pytest.mark.parametrize("line", commands(PAGE))
def test_every_command_of_the_page_parses(line: str) -> None:
    parse(hubctl, line)
