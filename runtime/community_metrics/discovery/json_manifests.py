"""Names in `package.json`, of npm and of extensions of editors, and in `composer.json`."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from community_metrics.discovery.model import Found, Refused
from community_metrics.discovery.places import line_of, table_in, text_in

if TYPE_CHECKING:
    from collections.abc import Mapping

_NPM: Final = "npmjs"  # the part of the host's name


def read_package(_path: str, text: str) -> list[Found | Refused]:
    """Return the name of a package of npm, or of an extension of editors."""
    manifest = _parsed(text)
    if isinstance(manifest, Refused):
        return [manifest]
    name, line = _name(manifest, text)
    if name is None:
        return [Refused("it has no name", line=line)]
    if "vscode" in table_in(manifest, "engines"):
        return [_extension(manifest, name, line)]
    if manifest.get("private") is True or manifest.get("private") == "true":
        what = "it is private, the root of a workspace" if "workspaces" in manifest else "it is private"
        return [Refused(f'{what}: "private": true', name, line)]
    registry = text_in(table_in(manifest, "publishConfig"), "registry")
    if registry is not None and not _is_host(registry, _NPM):
        return [Refused(f"it is published elsewhere: publishConfig names {registry}", name, line)]
    return [Found("npm", name, line)]


def read_composer(_path: str, text: str) -> list[Found | Refused]:
    """Return the name of a package of Packagist."""
    manifest = _parsed(text)
    if isinstance(manifest, Refused):
        return [manifest]
    name, line = _name(manifest, text)
    return [Refused("it has no name", line=line) if name is None else Found("packagist", name, line)]


def _extension(manifest: Mapping[str, Any], name: str, line: int | None) -> Found | Refused:
    """Return an extension, which is not published on npm; its `private` keeps it off npm only."""
    publisher = text_in(manifest, "publisher")
    if publisher is None:
        return Refused("it is an extension of VS Code, and names no publisher", name, line)
    return Found("open-vsx", f"{publisher}/{name}", line)


def _parsed(text: str) -> Mapping[str, Any] | Refused:
    try:
        manifest = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Refused(f"it is not valid JSON: {error}")
    return manifest if isinstance(manifest, dict) else Refused("it is not a JSON object")


def _name(manifest: Mapping[str, Any], text: str) -> tuple[str | None, int | None]:
    """Return the name and its line: of two members `name`, the one that has this value."""
    name = text_in(manifest, "name")
    if name is None:
        return None, None
    return name, line_of(text, rf'"name"\s*:\s*"\s*{re.escape(name)}')


def _is_host(address: str, label: str) -> bool:
    try:
        return label in (urlsplit(address).hostname or "").split(".")
    except ValueError:  # https://[half-an-address
        return False
