"""Read and validate `deployment.toml`; one message lists every error."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from infra.settings.backup import BackupSettings
from infra.settings.catalog import catalog_errors
from infra.settings.consistency import INVALID, inconsistencies
from infra.settings.delivery import DeliverySettings
from infra.settings.model import DeploymentSettings
from infra.settings.values import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


_TABLES: dict[str, type[BaseModel]] = {"backup": BackupSettings, "delivery": DeliverySettings}


class SettingsError(Exception):
    """`deployment.toml` is invalid; the message lists every error and its fix."""


def load_settings(path: Path, lambda_image: str | None = None) -> DeploymentSettings:
    """Read the deployment file and check its catalogue, whose path is relative to the file.

    `lambda_image` replaces the one in the file.

    Raises:
        SettingsError: the file or the catalogue is missing, unreadable or invalid.
    """
    replaced = {} if lambda_image is None else {"lambda_image": lambda_image}
    content = {**_read(path), **replaced}
    errors = [*_errors(content), *catalog_errors(_catalog(path, content))]
    if errors:
        raise SettingsError(_message(str(path), errors))
    return DeploymentSettings.model_validate({**content, "catalog": _catalog(path, content)})


def _catalog(path: Path, content: Mapping[str, Any]) -> Path | None:
    name = content.get("catalog")
    return (path.parent / name).resolve() if isinstance(name, str) else None


@dataclass(frozen=True, slots=True)
class Target:
    """Where `make image` pushes to."""

    region: str
    stage: str = ""
    catalog: Path | None = None


def load_target(path: Path) -> Target:
    """Read what `make image` needs alone, because `make image` runs before `lambda_image` can be set.

    Raises:
        SettingsError: the file is missing or unreadable, or one of these settings is invalid.
    """
    content = _read(path)
    catalog = _catalog(path, content)
    errors = [error for error in _errors(content) if re.match(r"(region|stage|catalog)\b", error)]
    if errors := [*errors, *catalog_errors(catalog)]:
        raise SettingsError(_message(str(path), errors))
    return Target(content["region"], content.get("stage", ""), catalog)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            f"{path} does not exist. Fix: run `cp deployment.example.toml deployment.toml` and edit it."
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None


def parse_settings(content: dict[str, Any], *, origin: str) -> DeploymentSettings:
    """Validate the content of a deployment file; `origin` is its name in messages.

    Raises:
        SettingsError: the content is invalid; one message lists every error.
    """
    if errors := _errors(content):
        raise SettingsError(_message(origin, errors))
    return DeploymentSettings.model_validate(content)


def _message(origin: str, errors: list[str]) -> str:
    return "\n  - ".join([f"{origin} is invalid; nothing was synthesised:", *errors])


def _errors(content: dict[str, Any]) -> list[str]:
    """Return every error; pydantic itself compares settings only if each of them is valid."""
    try:
        DeploymentSettings.model_validate(content)
    except ValidationError as error:
        invalid = {str(item["loc"][0]): INVALID for item in error.errors() if item["loc"]}
        compared = inconsistencies({**content, **invalid})
        return list(dict.fromkeys([*_messages(error), *compared]))
    return []


def _messages(error: ValidationError) -> list[str]:
    messages: dict[str, None] = {}  # a union reports one error once for each of its members
    for item in error.errors(include_url=False):
        message = item["msg"].removeprefix("Value error, ")
        if not item["loc"]:
            messages.update(dict.fromkeys(message.splitlines()))
            continue
        messages[_describe(_key(item["loc"]), item["type"], message, item["input"])] = None
    return list(messages)


def _key(loc: tuple[int | str, ...]) -> str:
    """Return the name of a setting, in a table such as `[delivery]` after the name of the table."""
    return ".".join(map(str, loc[:2] if loc[0] in _TABLES else loc[:1]))


def _describe(key: str, kind: str, message: str, value: object) -> str:
    if kind == "missing":
        return f"{key} is not set"
    table = key.partition(".")[0]
    if kind == "extra_forbidden" and table != key:
        known = ", ".join(sorted(_TABLES[table].model_fields))
        return (
            f"{key} is not a setting; [{table}] has {known}. Settings of the deployment must be above the "
            f"line [{table}]"
        )
    if kind == "model_type":
        return (
            f"{key} is {value!r}; it is a table: write the line [{key}] at the end of the file, and below "
            "it enabled = true"
        )
    if kind == "extra_forbidden":
        return (
            f"{key} is not a setting; known settings are {', '.join(sorted(DeploymentSettings.model_fields))}"
        )
    if kind == "string_pattern_mismatch":
        return f"{key} is {value!r}; expected a value such as {EXAMPLES[key]}"
    return f"{key}: {message}"
