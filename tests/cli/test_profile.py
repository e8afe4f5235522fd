"""The hub is found by a profile, on a laptop as in production; a bad one is told in a line."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from hubctl.profile import Source, read
from integration.operations.v1 import operations_service_pb2 as messages
from local.stack.certificates import HUB, spiffe_id
from local.stack.layout import TRUST_DOMAIN, Layout
from mesh.ca import CertificateAuthority
from tests.cli.desk import StandIn
from tests.cli.recorded import ANA, lane
from tests.cli.terminal import Terminal

NOWHERE = "127.0.0.1:9"


class Files:
    """Profiles beside the one of the state directory."""

    def __init__(self, layout: Layout, folder: Path) -> None:
        self.layout = layout
        self.folder = folder

    def profile(self, *changes: tuple[str, str], hub: str = "") -> Path:
        """A file like the state directory's, with other words in it."""
        known = read(self.layout.profile)
        text = "\n".join(
            (
                f'trust_domain = "{TRUST_DOMAIN}"',
                'tenant = "acme"',
                'log_key = "vkey"',
                "[addresses]",
                f'hub = "{hub or known.hub}"',
                f'audit = "{known.audit}"',
                "[identities]",
                f'operator = "{self.layout.identity("operator", "ana")}"',
                "[[parts]]",
                'name = "web"',
                'probe = "grpc"',
                f'address = "{known.hub}"',
            )
        )
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        file = self.folder / "production.toml"
        file.write_text(text)
        return file


@pytest.fixture
def files(stand_in: StandIn, layout: Layout, tmp_path: Path) -> Files:
    """Where the hub listens already."""
    stand_in.lay_out("ListLanes", messages.ListLanesResponse(lanes=[lane()]))
    stand_in.lay_out("ListAlerts", messages.ListAlertsResponse())
    return Files(layout, tmp_path)


async def test_a_named_profile_goes_before_a_local_stack_and_says_who_acts(
    terminal: Terminal, stand_in: StandIn, files: Files
) -> None:
    file = str(files.profile())
    elsewhere = {"HUBCTL_STATE": str(files.folder)}
    done = await terminal.run("lane", "list", "--profile", file, environment=elsewhere)
    assert done.code == 0, done.err
    done = await terminal.run("lane", "list", environment={**elsewhere, "HUBCTL_PROFILE": file})
    assert done.code == 0, done.err
    assert stand_in.callers("ListLanes") == [ANA, ANA]


async def test_a_state_directory_that_is_typed_goes_before_a_profile_of_the_environment(
    terminal: Terminal, stand_in: StandIn, files: Files
) -> None:
    away = str(files.profile(hub=NOWHERE))
    words = ("lane", "list", "--state", str(files.layout.state))
    done = await terminal.run(*words, environment={"HUBCTL_PROFILE": away})
    assert done.code == 0, done.err


async def test_status_asks_the_parts_of_the_profile_and_both_addresses(
    terminal: Terminal, files: Files
) -> None:
    file = files.profile(('audit = "127.0.0.1', f'audit = "{NOWHERE}" # "'))
    done = await terminal.run("status", "--profile", str(file))
    assert (done.code, done.err) == (3, "hubctl: not ready: addresses.audit\n")
    assert [line.split()[:2] for line in done.out.splitlines() if line.startswith("web")] == [
        ["web", "ready"]
    ]


async def test_a_part_that_is_known_not_to_run_is_named_with_the_fault(
    terminal: Terminal, files: Files
) -> None:
    fault = '[[parts]]\nname = "spoke-tax"\nfault = "no such key"\n[[parts]]'
    done = await terminal.run("status", "--profile", str(files.profile(("[[parts]]", fault))))
    assert (done.code, done.err) == (3, "hubctl: not ready: spoke-tax\n")
    assert "no such key" in done.out


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("trust_domain", "trust-domain", "trust_domain: missing"),
        ('tenant = "acme"', "", "tenant: missing"),
        ('tenant = "acme"', "tenant = 3", "tenant: not a text"),
        ('tenant = "acme"', 'tenant = ""', "tenant: not a text"),
        ('tenant = "acme"', 'tenant = "acme"\nuser = "me"', "user: unknown"),
        ("hub =", "hubs =", "addresses.hub: missing"),
        ("audit = ", "audit = 'nowhere' # ", "addresses.audit: not of the form host:port"),
        ("[addresses]", "[address]", "addresses: missing"),
        ("operator =", "operators =", "identities.directory: missing"),
        ("operator =", "directory = 7 #", "identities.directory: not a text"),
        ("[[parts]]", "[parts]", "parts: not a list"),
        ('probe = "grpc"', 'probe = "ping"', "parts[0].probe: not one of grpc, http, postgres, tcp"),
        ('name = "web"', "", "parts[0].name: missing"),
        ("[addresses]", "[addresses", "not TOML"),
    ],
)
async def test_a_bad_profile_is_one_line_with_the_file_and_the_key(
    terminal: Terminal, files: Files, old: str, new: str, said: str
) -> None:
    file = files.profile((old, new))
    done = await terminal.run("lane", "list", "--profile", str(file))
    assert done.code == 2
    assert done.err.startswith(f"hubctl: {file}: {said}")
    assert len(done.err.splitlines()) == 1


async def test_a_profile_that_is_named_and_not_there_is_wrong_usage(
    terminal: Terminal, tmp_path: Path
) -> None:
    done = await terminal.run("status", "--profile", str(tmp_path / "none.toml"))
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert "none.toml" in done.err


async def test_without_a_profile_one_line_says_how_to_get_one(terminal: Terminal, tmp_path: Path) -> None:
    for words in (("status",), ("lane", "list"), ("audit", "checkpoint"), ("jobs", "list")):
        done = await terminal.run(*words, "--state", str(tmp_path))
        assert (done.code, len(done.err.splitlines())) == (3, 1)
        assert "hubctl up" in done.err
        assert "--profile" in done.err


async def test_a_log_key_that_is_none_is_named(terminal: Terminal, files: Files, tmp_path: Path) -> None:
    auditor = files.layout.identity("operator", "ana")
    file = files.profile(("operator =", f'auditor = "{auditor}"\noperator ='))
    words = ("audit", "checkpoint", "--profile", str(file))
    for content in (None, "not a key"):
        if content is not None:
            (tmp_path / "vkey").write_text(content)
        done = await terminal.run(*words)
        assert (done.code, len(done.err.splitlines())) == (2, 1)
        assert f"{file}: log_key: " in done.err


async def refusal(terminal: Terminal, files: Files, folder: Path) -> tuple[int, str]:
    """How a command ends whose operator's certificate is in a folder; it must say so in one line."""
    ana = str(files.layout.identity("operator", "ana"))
    done = await terminal.run("lane", "list", "--profile", str(files.profile((ana, str(folder)))))
    assert len(done.err.splitlines()) == 1, done.err
    assert str(folder) in done.err
    return done.code, done.err


async def test_a_certificate_that_is_over_is_told_in_a_line(
    terminal: Terminal, files: Files, tmp_path: Path
) -> None:
    over, authority = tmp_path / "over", CertificateAuthority.create(TRUST_DOMAIN)
    authority.issue(spiffe_id("operator", "ana"), over, lifetime=timedelta(seconds=-1))
    code, said = await refusal(terminal, files, over)
    assert (code, "until" in said) == (3, True)


@pytest.mark.parametrize("spoilt", ["cert.pem", "key.pem", "ca.pem"])
async def test_an_identity_that_cannot_be_read_is_told_in_a_line(
    terminal: Terminal, files: Files, tmp_path: Path, spoilt: str
) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(files.layout.identity("operator", "ana"), folder)
    (folder / spoilt).write_text("nonsense")
    assert (await refusal(terminal, files, folder))[0] == 3
    (folder / spoilt).unlink()
    assert (await refusal(terminal, files, folder))[0] == 3


async def test_a_certificate_of_another_role_or_domain_is_refused_before_it_is_shown_to_anybody(
    terminal: Terminal, stand_in: StandIn, files: Files
) -> None:
    code, said = await refusal(terminal, files, files.layout.identity(*HUB))
    assert (code, f"spiffe://{TRUST_DOMAIN}/hub/hub" in said) == (2, True)
    other = files.profile((f'trust_domain = "{TRUST_DOMAIN}"', 'trust_domain = "corp.example"'))
    done = await terminal.run("lane", "list", "--profile", str(other))
    assert (done.code, "corp.example" in done.err) == (2, True)
    assert stand_in.asked == []


def test_paths_count_from_the_profile(tmp_path: Path, files: Files) -> None:
    profile = read(files.profile())
    assert (profile.log_key, profile.last_checkpoint) == (tmp_path / "vkey", tmp_path / "last-checkpoint")


def test_a_bundle_is_held_to_the_key_of_the_profile_where_there_is_one(files: Files, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    assert Source(files.profile(), nowhere).log_key() == tmp_path / "vkey"
    assert Source(None, files.layout.state).log_key() == files.layout.vkey
    assert Source(None, nowhere).log_key() is None
