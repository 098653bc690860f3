"""Settings: the `CM_*` environment variables. Nothing else in the package reads the environment.

Each setting is read, in this order, from the environment, from a systemd credential with the same name in
lower case (`$CREDENTIALS_DIRECTORY/cm_lancedb_api_key`), and from `.env` in the working directory. An empty
value counts as unset.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, create_model, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from community_metrics.delivery_settings import (
    SMTP_URL,
    DeliverySecrets,
    SmtpUrl,
    delivery_fields,
    is_target_variable,
    texts_of,
)
from community_metrics.errors import ConfigurationError
from community_metrics.origins import require_secure_origin
from community_metrics.setting_types import (
    BackupTarget,
    BrowserOrigin,
    Contact,
    Entries,
    Origin,
    RoleArn,
    Secret,
    Stage,
    TokenHash,
)
from community_metrics.suggestions import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

PROJECT_URL = "https://github.com/lancedb/community-metrics"
CHECK_INTERVAL_S = 2.0
"""Seconds between two looks of the API at the tables, if nothing else is set."""
DEV_SERVER_ORIGINS = ("http://localhost:5173", "http://127.0.0.1:5173")
PUBLIC_ORIGINS = {
    "pypistats": "https://pypistats.org",
    "npm": "https://api.npmjs.org",
    "crates": "https://crates.io",
    "crates_static": "https://static.crates.io",
    "github": "https://api.github.com",
    "docker": "https://hub.docker.com",
    "huggingface": "https://huggingface.co",
    "duckdb": "https://extensions.duckdb.org",
    "duckdb_community": "https://community-extensions.duckdb.org",
    "anaconda": "https://api.anaconda.org",
    "homebrew": "https://formulae.brew.sh",
    "rubygems": "https://rubygems.org",
    "nuget": "https://api.nuget.org",
    "nuget_search": "https://azuresearch-usnc.nuget.org",
    "packagist": "https://packagist.org",
    "openvsx": "https://open-vsx.org",
    "hackernews": "https://hn.algolia.com",
    "deps_dev": "https://api.deps.dev",
    "clickpy": "https://sql-clickhouse.clickhouse.com",
}
ENTRY_POINT_GROUP = "community_metrics.sources"
"""The group of entry points in which an installed package names its source."""
SECRETS_COMPLETE = "complete"
"""The name of the file that marks a folder of secrets as complete: it is written after every secret."""
_DOTENV = ".env"
_SOURCE_URL = "CM_SOURCE_URL_"
_OF_OTHER_PROGRAMS = {"CM_ACME_DIRECTORY"}  # the host's certificate program
# object_store's names for the AWS_* variables of AWS's own tools; `aws_endpoint` is the one that differs
_AWS_OPTIONS = {
    "AWS_ACCESS_KEY_ID": "aws_access_key_id",
    "AWS_SECRET_ACCESS_KEY": "aws_secret_access_key",
    "AWS_SESSION_TOKEN": "aws_session_token",
    "AWS_DEFAULT_REGION": "aws_region",
    "AWS_REGION": "aws_region",
    "AWS_ENDPOINT_URL": "aws_endpoint",
    "AWS_ENDPOINT_URL_S3": "aws_endpoint",
}


class StorageMode(StrEnum):
    """Where LanceDB is: in this process over a folder or bucket, or a LanceDB Enterprise cluster."""

    LOCAL = "local"
    ENTERPRISE = "enterprise"


class Settings(BaseSettings):
    """Every setting of a deployment. Read it with `load_settings`, which reports all faults together."""

    model_config = SettingsConfigDict(
        env_prefix="CM_", env_file=_DOTENV, env_ignore_empty=True, extra="ignore", frozen=True
    )

    storage_mode: StorageMode = StorageMode.LOCAL
    db_path: str = "data/community_metrics.lancedb"
    # the defaults are validated too, so that a missing value is reported together with every other fault
    lancedb_uri: str | None = Field(default=None, validate_default=True)
    lancedb_api_key: Secret = Field(default=None, validate_default=True)
    lancedb_region: str | None = None
    lancedb_host_override: str | None = None
    catalog: Path | None = None
    backup_target: BackupTarget | None = None
    backup_write_only: bool = False
    backup_read_role: RoleArn | None = None
    contact: Contact = PROJECT_URL
    deployment_stage: Stage = ""
    github_token: Secret = None
    delivery: Annotated[DeliverySecrets, NoDecode] = Field(default_factory=dict, repr=False)
    smtp_url: SmtpUrl = None
    cors_origins: Annotated[tuple[BrowserOrigin, ...], NoDecode, Entries] = ()
    api_token_hashes: Annotated[tuple[TokenHash, ...], NoDecode, Entries] = ()
    page_url: Origin | None = None
    api_url: Origin | None = None
    public_read: bool | None = Field(default=None, validate_default=True)
    # at most 60: a lease must not expire between two looks, and it is renewed 100 s before it would
    api_check_interval_s: Annotated[float, Field(ge=0.5, le=60)] = CHECK_INTERVAL_S
    source_url_pypistats: Origin = PUBLIC_ORIGINS["pypistats"]
    source_url_npm: Origin = PUBLIC_ORIGINS["npm"]
    source_url_crates: Origin = PUBLIC_ORIGINS["crates"]
    source_url_crates_static: Origin = PUBLIC_ORIGINS["crates_static"]
    source_url_github: Origin = PUBLIC_ORIGINS["github"]
    source_url_docker: Origin = PUBLIC_ORIGINS["docker"]
    source_url_huggingface: Origin = PUBLIC_ORIGINS["huggingface"]
    source_url_duckdb: Origin = PUBLIC_ORIGINS["duckdb"]
    source_url_duckdb_community: Origin = PUBLIC_ORIGINS["duckdb_community"]
    source_url_anaconda: Origin = PUBLIC_ORIGINS["anaconda"]
    source_url_homebrew: Origin = PUBLIC_ORIGINS["homebrew"]
    source_url_rubygems: Origin = PUBLIC_ORIGINS["rubygems"]
    source_url_nuget: Origin = PUBLIC_ORIGINS["nuget"]
    source_url_nuget_search: Origin = PUBLIC_ORIGINS["nuget_search"]
    source_url_packagist: Origin = PUBLIC_ORIGINS["packagist"]
    source_url_openvsx: Origin = PUBLIC_ORIGINS["openvsx"]
    source_url_hackernews: Origin = PUBLIC_ORIGINS["hackernews"]
    source_url_deps_dev: Origin = PUBLIC_ORIGINS["deps_dev"]
    source_url_clickpy: Origin = PUBLIC_ORIGINS["clickpy"]
    source_url_feeds: Origin | None = None
    # without them releases on PyPI and npm are read from deps.dev
    source_url_pypi: Origin | None = None
    source_url_npm_registry: Origin | None = None
    log_format: Literal["console", "json"] | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    aws_storage_options: Annotated[dict[str, str], NoDecode] = Field(
        default_factory=dict, exclude=True, repr=False
    )

    @classmethod
    def settings_customise_sources(cls, *_: Any, **sources: Any) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read credentials before `.env`: a forgotten file must not override the host's secrets."""
        order = ("init_settings", "env_settings", "file_secret_settings", "dotenv_settings")
        return tuple(sources[name] for name in order)

    @field_validator("lancedb_uri", "lancedb_api_key")
    @classmethod
    def _matches_the_mode(cls, value: str | SecretStr | None, info: ValidationInfo) -> str | SecretStr | None:
        mode = info.data.get("storage_mode")
        if value is None and mode is StorageMode.ENTERPRISE:
            needed = "db://<database name>" if info.field_name == "lancedb_uri" else "a key"
            raise ValueError(
                f"is not set; enterprise mode needs {needed}. Fix: set it, or run with CM_STORAGE_MODE=local"
            )
        if value is not None and mode is StorageMode.LOCAL:  # the data would go into a folder instead
            raise ValueError(
                "is set, but CM_STORAGE_MODE is local, which does not use it. "
                "Fix: set CM_STORAGE_MODE=enterprise, or unset it"
            )
        return value

    @field_validator("public_read")
    @classmethod
    def _lets_somebody_read(cls, public: bool | None, info: ValidationInfo) -> bool | None:
        if public is False and info.data.get("api_token_hashes") == ():
            raise ValueError(
                "is false, but CM_API_TOKEN_HASHES is empty, so nobody could read the API. "
                "Fix: set CM_API_TOKEN_HASHES, or unset CM_PUBLIC_READ"
            )
        return public

    @field_validator("lancedb_uri")
    @classmethod
    def _names_a_database(cls, uri: str | None) -> str | None:
        if uri is not None and (not uri.startswith("db://") or uri == "db://"):
            raise ValueError(f"is {uri!r}; enterprise mode needs db://<database name>")
        return uri

    @field_validator("db_path")
    @classmethod
    def _folder_or_bucket(cls, path: str, info: ValidationInfo) -> str:
        scheme, has_scheme, rest = path.partition("://")
        if not has_scheme or info.data.get("storage_mode") is not StorageMode.LOCAL:
            return path
        if scheme != "s3":
            fix = ". Fix: set CM_LANCEDB_URI to it, with CM_STORAGE_MODE=enterprise" if scheme == "db" else ""
            raise ValueError(
                f"is {path!r}; local mode takes a folder or s3://bucket/prefix, in lower case{fix}"
            )
        if not rest.partition("/")[0]:
            raise ValueError(f"is {path!r}, which has no bucket. Fix: write s3://bucket/prefix")
        return path

    @field_validator("lancedb_host_override")
    @classmethod
    def _endpoint(cls, url: str | None) -> str | None:
        return None if url is None else require_secure_origin(url.rstrip("/"))

    @property
    def is_s3(self) -> bool:
        """Whether the local mode writes to a bucket instead of a folder."""
        return self.storage_mode is StorageMode.LOCAL and self.db_path.startswith("s3://")

    @property
    def storage_location(self) -> str:
        """Where the database is, for messages; never has a key."""
        if self.storage_mode is StorageMode.ENTERPRISE:
            via = f" at {self.lancedb_host_override}" if self.lancedb_host_override else ""
            return f"{self.lancedb_uri}{via}"
        return self.db_path

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """Origins whose pages may read the API; by default the dev server's, in enterprise mode none."""
        if self.cors_origins or self.storage_mode is StorageMode.ENTERPRISE:
            return self.cors_origins
        return DEV_SERVER_ORIGINS

    @property
    def delivery_secrets(self) -> dict[str, SecretStr]:
        """Addresses and keys of deliveries by the name of their setting; a variable overrides CM_DELIVERY."""
        names = {f"CM_{name.upper()}": name for name in type(self).model_fields}
        own = {
            variable: value
            for variable, name in names.items()
            if (is_target_variable(variable) or variable == SMTP_URL) and (value := getattr(self, name))
        }
        return {**self.delivery, **own}

    @property
    def secret_texts(self) -> list[str]:
        """Every secret as text, and the parts of addresses that a library may show alone."""
        values = [getattr(self, name) for name in type(self).model_fields]
        plain = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
        return [*plain, *texts_of(self.delivery_secrets)]

    @property
    def is_public(self) -> bool:
        """Whether a request without a token reads what is public; by default if there are no tokens."""
        return not self.api_token_hashes if self.public_read is None else self.public_read

    def source_url(self, host: str, public_origin: str) -> str:
        """Return the origin to use for the registry with the key `host`, of a plug-in too.

        A default is no stand-in: a registry may state its public origin itself, as NuGet's index does.
        """
        field = _field_of(host)
        chosen = getattr(self, field, None) if field in self.model_fields_set else None
        return str(chosen or public_origin)


class _GivenSettings(Settings):
    @classmethod
    def settings_customise_sources(cls, *_: Any, **sources: Any) -> tuple[PydanticBaseSettingsSource, ...]:
        return (sources["init_settings"],)


def given_settings(values: Mapping[str, str]) -> Settings:
    """Return the settings of another process: these values and the defaults, nothing from this environment.

    Raises:
        ConfigurationError: one message with every fault and its fix.
    """
    return _validated(_GivenSettings, "These values cannot be used:", dict(values))


def settings_at(path: str) -> Settings:
    """Return the settings of a database in local mode at a folder or an `s3://` address.

    Raises:
        ConfigurationError: the path is neither.
    """
    return given_settings({"db_path": path}).model_copy(
        update={"aws_storage_options": _aws_storage_options()}
    )


def settings_from_file(file: Path) -> Settings:
    """Return the settings that a file like `.env` holds, and nothing from this environment but AWS's names.

    Raises:
        ConfigurationError: the file cannot be read, or one message with every fault and its fix.
    """
    if not file.is_file():
        raise ConfigurationError(f"There is no file {file}. Fix: write the CM_ settings of a database to it.")
    values = {name.upper(): value for name, value in dotenv_values(file).items() if value}
    known = {*_variables(Settings)}
    faults = [f"{name}: is not a setting; {suggestion(name, known)}" for name in sorted({*values} - known)]
    given = {name.removeprefix("CM_").lower(): value for name, value in values.items() if name in known}
    given_aws = {"aws_storage_options": _aws_storage_options()}
    return _validated(_GivenSettings, f"The settings in {file} cannot be used:", given | given_aws, faults)


def load_settings(secrets: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of this process; `secrets`, by field name, override every other place.

    Raises:
        ConfigurationError: one message with every fault and its fix.
    """
    given = {"_secrets_dir": _credentials_folder(), "aws_storage_options": _aws_storage_options()}
    headline = "The settings in the environment cannot be used:"
    try:
        unknown = _unknown_variables()
        fields = {**_plugin_fields(unknown), **delivery_fields({*unknown, *_credential_variables()})}
        model = create_model("Settings", __base__=Settings, **fields) if fields else Settings
        known = {*_variables(model), *_secret_variables()}
        faults = [f"{name}: is not a setting; {suggestion(name, known)}" for name in unknown - known]
        return _validated(model, headline, {**given, **(secrets or {})}, sorted(faults))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"The settings cannot be read: {error}. Fix: correct or remove .env in the working directory, or "
            "the credential in $CREDENTIALS_DIRECTORY."
        ) from None


def _validated(
    model: type[Settings], headline: str, values: Mapping[str, Any], faults: Sequence[str] = ()
) -> Settings:
    """Return the settings; `faults` are those already found, which make them unusable."""
    try:
        settings = model(**values)
    except ValidationError as error:
        invalid = dict.fromkeys(  # without duplicates: two entries of a list may have the same fault
            f"CM_{str(item['loc'][0]).upper()}: {item['msg'].removeprefix('Value error, ')}"
            for item in error.errors(include_input=False, include_url=False)
        )
        raise ConfigurationError(
            headline, [*invalid, *faults]
        ) from None  # pydantic's text would show secrets
    if faults:
        raise ConfigurationError(headline, list(faults))
    return settings


def _unknown_variables() -> set[str]:
    """Return the `CM_*` names, in the environment and in `.env`, that no built-in setting has."""
    places = (os.environ, dotenv_values(_DOTENV))
    given = {name.upper() for place in places for name, value in place.items() if value}
    known = {*_variables(Settings), *_secret_variables(), *_OF_OTHER_PROGRAMS}
    return {name for name in given if name.startswith("CM_")} - known


def _variables(model: type[Settings]) -> Iterator[str]:
    return (f"CM_{name.upper()}" for name, field in model.model_fields.items() if not field.exclude)


def _secret_variables() -> dict[str, str]:
    """Return the setting whose Secrets Manager entry each variable names; a Lambda function has such."""
    return {f"CM_{name.upper()}_SECRET": name for name in Settings.model_fields}


def _field_of(host: str) -> str:
    return f"source_url_{re.sub(r'[^a-z0-9]', '_', host.lower())}"


def _plugin_fields(variables: Iterable[str]) -> dict[str, Any]:
    """Return a field for each registry of an installed plug-in, if a variable may name one.

    Plug-ins are imported only then. One that cannot be imported is reported where the catalogue is read.
    """
    if not any(name.startswith(_SOURCE_URL) for name in variables):
        return {}
    hosts = set()
    for point in entry_points(group=ENTRY_POINT_GROUP):
        with suppress(Exception):
            hosts.add(str(point.load().host))
    return {_field_of(host): (Origin | None, None) for host in hosts}


def _credentials_folder() -> str | None:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if folder and not Path(folder).is_dir():
        raise ConfigurationError(
            f"CREDENTIALS_DIRECTORY is {folder!r}, which is not a folder, so no secret can be read from "
            "it. Fix: unset it, or let systemd set it with LoadCredential=."
        )
    return folder or None


def _credential_variables() -> list[str]:
    folder = _credentials_folder()
    return [] if folder is None else [path.name.upper() for path in Path(folder).iterdir()]


def _aws_storage_options() -> dict[str, str]:
    options = {option: os.environ[name] for name, option in _AWS_OPTIONS.items() if os.environ.get(name)}
    if options.get("aws_endpoint", "").startswith("http://"):
        options["allow_http"] = "true"
    return options


def given_stage() -> str:
    """Return `CM_DEPLOYMENT_STAGE` alone, because gauges are sent even if other settings are invalid."""
    return os.environ.get("CM_DEPLOYMENT_STAGE", "")


def secret_ids() -> dict[str, str]:
    """Return the Secrets Manager entry of each setting: `CM_GITHUB_TOKEN_SECRET` names `github_token`'s."""
    variables = _secret_variables()
    return {name: os.environ[variable] for variable, name in variables.items() if os.environ.get(variable)}


@dataclass(frozen=True, slots=True)
class ServiceManager:
    """What systemd passes to a service; the defaults if this process is not a service.

    `notify_socket` takes messages about readiness and the watchdog. `socket_count` is the number of listening
    sockets, from descriptor 3 on. `lacks_secrets` is true while a secret of the service is not yet written.
    """

    notify_socket: str | None = None
    socket_count: int = 0
    lacks_secrets: bool = False


def service_manager() -> ServiceManager:
    """Return what systemd passes to this process; sockets of a parent process are ignored."""
    count = os.environ.get("LISTEN_FDS", "") if os.environ.get("LISTEN_PID") == str(os.getpid()) else ""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    lacks_secrets = bool(folder and not Path(folder, f"cm_{SECRETS_COMPLETE}").exists())
    socket_count = int(count) if count.isdigit() else 0
    return ServiceManager(os.environ.get("NOTIFY_SOCKET") or None, socket_count, lacks_secrets)
