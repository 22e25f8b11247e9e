"""Settings: `TOUCHSTONE_*` variables over `touchstone.toml` over defaults."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from platformdirs import user_data_path
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from registry.errors import TouchstoneError

#: Ports of services that take orders from whatever stands in a request.
NEVER_WEB_PORTS = frozenset(
    {
        *range(1, 80), *range(101, 200), 389, 445, 465, 512, 513, 514, 515, 587, 636, 873, 993, 995,
        1433, 1521, 2049, 2375, 2376, 2379, 3306, 3389, 5432, 5672, 5900, 6000, 6379, 9200, 9300,
        11211, 27017,
    }
)  # fmt: skip


def _operator() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without a passwd entry
        return f"uid-{os.getuid()}"


class Settings(BaseSettings):
    """Where the parts are and how they behave; one object for the whole process."""

    model_config = SettingsConfigDict(env_prefix="TOUCHSTONE_", extra="forbid", frozen=True)

    data_dir: Path = Field(
        default_factory=lambda: user_data_path("touchstone"),
        description="Folder for the default database, evidence and working files.",
    )
    database_url: str = Field(
        default="", description="SQLAlchemy URL; empty means SQLite in the data directory."
    )
    broker_url: str = Field(default="embedded:", description="embedded: or redis://… or amqp://…")
    broker_namespace: str = Field(
        default="touchstone",
        pattern=r"^[a-z0-9][a-z0-9-]{0,40}$",
        description="Keeps installations that share one broker apart.",
    )
    evidence_store_url: str = Field(
        default="", description="file:// or s3:// URL; empty means a folder in the data directory."
    )
    browser: str | None = Field(
        default=None, description="Path of Chromium; empty means the first one found."
    )
    allowed_private_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Hosts on private addresses that may be visited: host or host:port.",
    )
    allowed_ports: Annotated[tuple[int, ...], NoDecode] = Field(
        default=(),
        description="Ports beside 80, 443, 8080 and 8443 that may be visited on public hosts.",
    )
    requests_per_second: float = Field(
        default=10.0,
        gt=0,
        le=1000,
        description="What all workers together ask of a public host, unless its marketplace says.",
    )
    requests_at_once: int = Field(
        default=8, ge=1, le=100, description="The same, of requests that are under way."
    )
    user_agent_url: str | None = Field(
        default=None,
        pattern=r"^https?://[!-~]+$",
        description="Stands in the user agent: where a shop finds out who asks, and why.",
    )
    takeover_bind: str = Field(
        default="127.0.0.1:0",
        pattern=r"^(\[[0-9a-f:]+\]|[A-Za-z0-9.-]+):\d{1,5}$",
        description="Where a live browser that waits for a person is reached by the console.",
    )
    person_minutes: float = Field(
        default=15.0,
        ge=0,
        le=240,
        description="How long a checkout waits for a person at what is unexpected; 0: not at all.",
    )
    signer: str = Field(
        default="keys:",
        description="Who signs: keys: (the key in the data directory) or exec:/path/to/command.",
    )
    timestamp_authorities: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="URLs of RFC 3161 time stamp authorities; each is asked."
    )
    timestamp_roots: Path | None = Field(
        default=None,
        description="PEM file of the certificates that a stamp must lead to.",
    )
    checkpoint_minutes: float = Field(
        default=60.0, gt=0, description="How often the custody ledger is signed, if it grew."
    )
    exit_address_url: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="A service that tells the address it was asked from; empty: it is not asked.",
    )
    clock_reference_url: str | None = Field(
        default=None,
        pattern=r"^(https?|ntp)://",
        description="What the clock is held against: ntp://host, or a web server's Date.",
    )
    rates_file: Path | None = Field(
        default=None,
        description="YAML file of exchange rates (day, per_euro); empty: the table that ships.",
    )
    embedding_model: Path | None = Field(
        default=None,
        description="ONNX file of a picture model that proposes candidates; empty: none does.",
    )
    secrets_key: Path | None = Field(
        default=None,
        description="File of the master keys that seal secrets; empty: in the data directory.",
    )
    public_tips: bool = Field(
        default=False,
        description="Whether `touchstone tips serve` may run: a page, apart from the console, on "
        "which anybody may tell us.",
    )
    operator: str = Field(default_factory=_operator, description="Named in evidence and approvals.")
    sign_in: bool = Field(
        default=False, description="Whether every page of the console asks for a person's code."
    )
    worker_threads: int = Field(default=2, ge=1, le=64)
    crawl_threads: int = Field(
        default=1, ge=1, le=64, description="Crawls at once in a worker, beside its other threads."
    )
    lease_seconds: float = Field(
        default=60.0, gt=0, description="A worker silent for so long has lost its job."
    )
    handover_seconds: float = Field(
        default=30.0, gt=0, description="A job that no worker claims is handed over again."
    )

    @field_validator("allowed_private_hosts", "timestamp_authorities", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("allowed_ports", mode="before")
    @classmethod
    def _ports(cls, value: Any) -> Any:
        if isinstance(value, str):
            value = [part.strip() for part in value.split(",") if part.strip()]
        ports = tuple(int(port) for port in value)
        bad = [port for port in ports if not 0 < port < 65536 or port in NEVER_WEB_PORTS]
        if bad:
            raise ValueError(f"port {bad[0]} belongs to another service than the web")
        return ports

    @field_validator("broker_url")
    @classmethod
    def _known_broker(cls, value: str) -> str:
        if value == "embedded:" or value.startswith(
            ("redis://", "rediss://", "amqp://", "amqps://")
        ):
            return value
        raise ValueError("use embedded: or redis://… or amqp://…")

    @field_validator("signer")
    @classmethod
    def _known_signer(cls, value: str) -> str:
        if value == "keys:" or value.startswith("exec:/"):
            return value
        raise ValueError("use keys: or exec:/path/to/command")

    @field_validator("timestamp_authorities")
    @classmethod
    def _http_only(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for url in value:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError(f"{url!r} is not an http:// or https:// address")
            if parts.username is not None:
                raise ValueError("no name or password: the address stands in the evidence")
        return tuple(dict.fromkeys(value))

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in force."""
        if self.database_url:
            # The bare scheme names no driver, and SQLAlchemy would look for psycopg 2.
            for bare in ("postgresql://", "postgres://"):
                if self.database_url.startswith(bare):
                    return "postgresql+psycopg://" + self.database_url.removeprefix(bare)
            return self.database_url
        return f"sqlite:///{self.data_dir / 'touchstone.db'}"

    @property
    def secrets_file(self) -> Path:
        """The file of the master keys in force."""
        return self.secrets_key or self.data_dir / "secrets.key"

    @property
    def evidence_store(self) -> str:
        """The URL of the blob store in force."""
        return self.evidence_store_url or (self.data_dir / "evidence").as_uri()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = Path(os.environ.get("TOUCHSTONE_CONFIG", "touchstone.toml"))
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, file)


def load_settings(**overrides: Any) -> Settings:
    """Read the settings.

    Raises
    ------
    TouchstoneError
        Naming each setting that does not fit.
    """
    config = os.environ.get("TOUCHSTONE_CONFIG")
    if config and not Path(config).is_file():
        raise TouchstoneError(f"TOUCHSTONE_CONFIG names {config}, which is not a file")
    try:
        return Settings(**overrides)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
            for fault in error.errors()
        )
        raise TouchstoneError(f"settings (TOUCHSTONE_* or touchstone.toml): {faults}") from error
    except ValueError as error:  # broken TOML
        raise TouchstoneError(f"touchstone.toml: {error}") from error
