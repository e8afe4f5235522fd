"""The audit service's settings, from the environment."""

from dataclasses import dataclass, field
from pathlib import Path

from mesh.settings import Environment


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What it takes to read the log and to know its key."""

    reader_url: str = field(repr=False)
    origin: str
    log_key_file: Path

    @classmethod
    def read(cls, environment: Environment) -> "LogSettings":
        """Reads the variables; SettingsError names one that is missing or wrong."""
        return cls(
            reader_url=environment.text("AUDIT_READER_DATABASE_URL"),
            origin=environment.text("AUDIT_ORIGIN"),
            log_key_file=environment.path("AUDIT_LOG_KEY_FILE"),
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """What it takes to serve."""

    log: LogSettings
    listen: str
    writer_url: str = field(repr=False)
    signing_key_file: Path
    high_water_file: Path
    identity_dir: Path
    producers_file: Path

    @classmethod
    def read(cls, environment: Environment) -> "Settings":
        """Reads the variables; SettingsError names one that is missing or wrong."""
        return cls(
            log=LogSettings.read(environment),
            listen=environment.address("AUDIT_LISTEN"),
            writer_url=environment.text("AUDIT_DATABASE_URL"),
            signing_key_file=environment.path("AUDIT_SIGNING_KEY_FILE"),
            high_water_file=environment.path("AUDIT_HIGH_WATER_FILE"),
            identity_dir=environment.path("MESH_IDENTITY_DIR"),
            producers_file=environment.path("MESH_PRODUCERS_FILE"),
        )


def owner_url(environment: Environment) -> str:
    """Returns the URL that migrations use."""
    return environment.text("AUDIT_OWNER_DATABASE_URL")
