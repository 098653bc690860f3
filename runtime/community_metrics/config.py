"""Settings: the `CM_*` environment contract. Nothing else in the package reads the environment.

Each setting is read, in this order, from the environment, from a systemd credential of the same name in
lower case (`$CREDENTIALS_DIRECTORY/cm_lancedb_api_key`), and from `.env` in the working directory. An empty
value counts as none.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from community_metrics.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT_URL = "https://github.com/lancedb/community-metrics"
DEV_SERVER_ORIGINS = ("http://localhost:5173", "http://127.0.0.1:5173")
PUBLIC_ORIGINS = {
    "pypistats": "https://pypistats.org",
    "npm": "https://api.npmjs.org",
    "crates": "https://crates.io",
    "github": "https://api.github.com",
}
_SHA256_HEX = re.compile(r"[0-9a-f]{64}")
_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
# object_store's names for what AWS's own tools read under AWS_*; `aws_endpoint` is the one that differs
_AWS_STORAGE_OPTIONS = {
    "AWS_ACCESS_KEY_ID": "aws_access_key_id",
    "AWS_SECRET_ACCESS_KEY": "aws_secret_access_key",
    "AWS_SESSION_TOKEN": "aws_session_token",
    "AWS_DEFAULT_REGION": "aws_region",
    "AWS_REGION": "aws_region",
    "AWS_ENDPOINT_URL": "aws_endpoint",
    "AWS_ENDPOINT_URL_S3": "aws_endpoint",
}

SECRETS_COMPLETE = "complete"
"""Stands among the secrets of a reader once all that it may get were asked for and written."""

CommaSeparated = Annotated[tuple[str, ...], NoDecode]


class StorageMode(StrEnum):
    """Where LanceDB is: in this process over a folder or bucket, or a LanceDB Enterprise cluster."""

    LOCAL = "local"
    ENTERPRISE = "enterprise"


class Settings(BaseSettings):
    """Everything a deployment decides. Read it with `load_settings`, which words the faults."""

    model_config = SettingsConfigDict(
        env_prefix="CM_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    storage_mode: StorageMode = StorageMode.LOCAL
    db_path: str = "data/community_metrics.lancedb"
    # checked though unset, so that what a mode lacks is told together with every other fault
    lancedb_uri: str | None = Field(default=None, validate_default=True)
    lancedb_api_key: SecretStr | None = Field(default=None, validate_default=True)
    lancedb_region: str | None = None
    lancedb_host_override: str | None = None
    catalog: Path | None = None
    contact: str = PROJECT_URL
    github_token: SecretStr | None = None
    cors_origins: CommaSeparated = ()
    api_token_hashes: CommaSeparated = ()
    source_url_pypistats: str = PUBLIC_ORIGINS["pypistats"]
    source_url_npm: str = PUBLIC_ORIGINS["npm"]
    source_url_crates: str = PUBLIC_ORIGINS["crates"]
    source_url_github: str = PUBLIC_ORIGINS["github"]
    log_format: Literal["console", "json"] | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    aws_storage_options: Annotated[dict[str, str], NoDecode] = Field(
        default_factory=dict, exclude=True, repr=False
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  pydantic's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put credentials before `.env`: a file forgotten in a folder must not outrank the host's secrets."""
        return init_settings, env_settings, file_secret_settings, dotenv_settings

    @field_validator("lancedb_api_key", "github_token")
    @classmethod
    def _empty_secret_is_none(cls, secret: SecretStr | None) -> SecretStr | None:
        return secret if secret is not None and secret.get_secret_value() else None

    @field_validator("lancedb_uri")
    @classmethod
    def _enterprise_has_a_database(cls, uri: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("storage_mode") is StorageMode.ENTERPRISE:
            if uri is None:
                raise ValueError("is not set; enterprise mode needs it, as db://<database name>")
            if not uri.removeprefix("db://") or not uri.startswith("db://"):
                raise ValueError(f"is {uri!r}; enterprise mode needs db://<database name>")
        elif uri is not None:
            _refuse_in_local_mode(info)
        return uri

    @field_validator("lancedb_api_key")
    @classmethod
    def _enterprise_has_a_key(cls, key: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if key is None and info.data.get("storage_mode") is StorageMode.ENTERPRISE:
            raise ValueError(
                "is not set; enterprise mode needs it. Set it, or run with CM_STORAGE_MODE=local"
            )
        if key is not None:
            _refuse_in_local_mode(info)
        return key

    @field_validator("db_path")
    @classmethod
    def _folder_or_bucket(cls, path: str, info: ValidationInfo) -> str:
        scheme, has_scheme, rest = path.partition("://")
        if not has_scheme or info.data.get("storage_mode") is not StorageMode.LOCAL:
            return path
        if scheme != "s3":
            enterprise = "; db:// belongs into CM_LANCEDB_URI, with CM_STORAGE_MODE=enterprise"
            raise ValueError(
                f"is {path!r}; local mode takes a folder or s3://bucket/prefix, in lower case"
                f"{enterprise if scheme == 'db' else ''}"
            )
        if not rest.partition("/")[0]:
            raise ValueError(f"is {path!r}, which names no bucket; write s3://bucket/prefix")
        return path

    @field_validator("cors_origins", "api_token_hashes", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            parts = tuple(part.strip() for part in value.split(",") if part.strip())
            if value and not parts:  # a list of tokens that came out empty would make the API public
                raise ValueError("holds nothing but commas and blanks; name the entries, or leave it unset")
            return parts
        return value

    @field_validator("cors_origins")
    @classmethod
    def _exact_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if "*" in origin:
                raise ValueError("'*' would let any page read the API; list the exact origins")
            _require_origin(origin)
            _require_sent_origin(origin)
        return origins

    @field_validator("api_token_hashes")
    @classmethod
    def _hex_digests(cls, hashes: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_SHA256_HEX.fullmatch(value) for value in hashes):
            raise ValueError(
                "each entry is the SHA-256 of a token, 64 lower-case hex digits; "
                "`community-metrics token new` prints one"
            )
        return hashes

    @field_validator(
        "source_url_pypistats", "source_url_npm", "source_url_crates", "source_url_github", mode="after"
    )
    @classmethod
    def _origin_only(cls, url: str) -> str:
        return _require_origin(url)

    @field_validator("lancedb_host_override")
    @classmethod
    def _endpoint(cls, url: str | None) -> str | None:
        return None if url is None else _require_secure_origin(url.rstrip("/"))

    @field_validator("github_token", "lancedb_api_key")
    @classmethod
    def _sendable(cls, secret: SecretStr | None) -> SecretStr | None:
        # An HTTP library would refuse it later, and show it in the message.
        if secret is not None and not re.fullmatch(r"[!-~]+", secret.get_secret_value()):
            raise ValueError("holds a space, a line break or a letter that no key has; copy it anew")
        return secret

    @field_validator("contact")
    @classmethod
    def _printable_contact(cls, contact: str) -> str:
        if not contact.isascii() or not contact.isprintable() or not contact.strip():
            raise ValueError("must be a URL or an e-mail address; registries ask who is calling")
        return contact.strip()

    @property
    def is_s3(self) -> bool:
        """Say whether the local mode writes to a bucket instead of a folder."""
        return self.storage_mode is StorageMode.LOCAL and self.db_path.startswith("s3://")

    @property
    def storage_location(self) -> str:
        """Where the database is, for messages; never holds a key."""
        if self.storage_mode is StorageMode.ENTERPRISE:
            via = f" at {self.lancedb_host_override}" if self.lancedb_host_override else ""
            return f"{self.lancedb_uri}{via}"
        return self.db_path

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """Origins whose pages may read the API; the dev server's where nothing else is said (local mode).

        Raises:
            ConfigurationError: enterprise mode without `CM_CORS_ORIGINS`.
        """
        if self.cors_origins:
            return self.cors_origins
        if self.storage_mode is StorageMode.ENTERPRISE:
            raise ConfigurationError(
                "The API cannot start:",
                [
                    (
                        "CM_CORS_ORIGINS is not set; name the exact origins of the dashboard, "
                        "for example CM_CORS_ORIGINS=https://metrics.example.org"
                    )
                ],
            )
        return DEV_SERVER_ORIGINS

    def source_url(self, host: str) -> str:
        """Return the origin that stands for the registry `host` (`pypistats`, `npm`, `crates`, `github`)."""
        return str(getattr(self, f"source_url_{host}"))


class _GivenSettings(Settings):
    """Settings of the given values alone."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  pydantic's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003  likewise
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  likewise
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def given_settings(values: Mapping[str, str]) -> Settings:
    """Return the settings of another process: these values and defaults, nothing of this process's own.

    Raises:
        ConfigurationError: one message with every fault and its mend.
    """
    given: dict[str, Any] = dict(values)
    try:
        return _GivenSettings(**given)
    except ValidationError as error:
        raise ConfigurationError("These values cannot be used:", _worded_faults(error)) from None


def load_settings(secrets: Mapping[str, str] | None = None) -> Settings:
    """Read the settings of this process; `secrets`, by setting, were read elsewhere and come before all else.

    Raises:
        ConfigurationError: one message with every fault and its mend.
    """
    found: dict[str, Any] = dict(secrets or {})  # text, which the fields' validators read
    try:
        return Settings(
            _secrets_dir=_credentials_folder(), aws_storage_options=_aws_storage_options(), **found
        )
    except ValidationError as error:
        raise ConfigurationError(
            "The settings in the environment cannot be used:", _worded_faults(error)
        ) from None  # pydantic's own text would show the values, secrets among them
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"The settings cannot be read: {error}. Mend or remove .env in the working directory, or the "
            "credential in $CREDENTIALS_DIRECTORY."
        ) from None


def _credentials_folder() -> str | None:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if folder and not Path(folder).is_dir():
        raise ConfigurationError(
            f"CREDENTIALS_DIRECTORY is {folder!r}, which is not a folder, so no secret can be read from "
            "it. Unset it, or let systemd set it with LoadCredential=."
        )
    return folder or None


def secret_ids() -> dict[str, str]:
    """Return which Secrets Manager entry holds a setting: `CM_GITHUB_TOKEN_SECRET` for `github_token`."""
    variables = {f"CM_{name.upper()}_SECRET": name for name in Settings.model_fields}
    return {name: os.environ[variable] for variable, name in variables.items() if os.environ.get(variable)}


@dataclass(frozen=True, slots=True)
class ServiceManager:
    """What systemd says to a service that it started; nothing of it where somebody else did.

    `notify_socket` is where it wants to be told of readiness and life, `socket_count` how many listening
    sockets it handed over, from descriptor 3 on. `lacks_secrets` says that it was to hand over secrets, which
    have not all been read.
    """

    notify_socket: str | None = None
    socket_count: int = 0
    lacks_secrets: bool = False


def service_manager() -> ServiceManager:
    """Return what systemd says to this very process; what it said to a parent is not for us."""
    is_for_us = os.environ.get("LISTEN_PID") == str(os.getpid())
    count = os.environ.get("LISTEN_FDS", "0") if is_for_us else "0"
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    lacks_secrets = bool(folder and not Path(folder, f"cm_{SECRETS_COMPLETE}").exists())
    socket_count = int(count) if count.isdigit() else 0
    return ServiceManager(os.environ.get("NOTIFY_SOCKET") or None, socket_count, lacks_secrets)


def _aws_storage_options() -> dict[str, str]:
    options = {
        option: os.environ[variable]
        for variable, option in _AWS_STORAGE_OPTIONS.items()
        if os.environ.get(variable)
    }
    if options.get("aws_endpoint", "").startswith("http://"):
        options["allow_http"] = "true"
    return options


def _refuse_in_local_mode(info: ValidationInfo) -> None:
    """Refuse a setting of the cluster while everything would be written to a folder instead."""
    if info.data.get("storage_mode") is StorageMode.LOCAL:
        raise ValueError(
            "is set, but CM_STORAGE_MODE is local, which would leave it unused. "
            "Set CM_STORAGE_MODE=enterprise, or unset it"
        )


def _require_origin(url: str) -> str:
    if "@" in url:  # not repeated in the message: what stands before the @ may be a password
        raise ValueError("an origin holds no user, password or '@'; write it as https://example.org")
    if not _is_origin(url):
        raise ValueError(f"{url!r} is not an origin such as https://example.org (no path, no trailing slash)")
    return url


def _require_secure_origin(url: str) -> str:
    if not keeps_secrets(_require_origin(url)):
        raise ValueError(
            f"{url!r} would send the key unencrypted; write https://. "
            "Only this machine itself (127.0.0.0/8, ::1, localhost) may be reached with http://"
        )
    return url


def keeps_secrets(origin: str) -> bool:
    """Say whether a key sent to this origin is encrypted on its way, or does not leave the machine."""
    parts = urlsplit(origin)
    return parts.scheme == "https" or _is_loopback(parts.hostname or "")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:  # any other name may lead anywhere
        return False
    return any(address in network for network in _LOOPBACK if network.version == address.version)


def _require_sent_origin(origin: str) -> None:
    """Refuse a spelling that a browser never sends: origins are compared letter by letter."""
    sent = _as_sent(origin)
    if origin != sent:
        raise ValueError(f"{origin!r} is not how a browser writes it, so it would never match; write {sent}")


def _as_sent(origin: str) -> str:
    """Return the origin in lower case and without the port that its scheme implies."""
    lower = origin.lower()
    return lower.removesuffix(":443") if lower.startswith("https:") else lower.removesuffix(":80")


def _is_origin(url: str) -> bool:
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number or beyond 65535, or half an IPv6 address
        return False
    scheme, _, rest = url.partition("://")
    return has_host and scheme.lower() in {"http", "https"} and rest == parts.netloc


def _worded_faults(error: ValidationError) -> list[str]:
    return [
        f"CM_{str(item['loc'][0]).upper()}: {item['msg'].removeprefix('Value error, ')}"
        for item in error.errors(include_input=False, include_url=False)
    ]
