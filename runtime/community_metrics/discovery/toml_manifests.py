"""Names in `pyproject.toml` and `Cargo.toml`."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any, Final

from community_metrics.discovery.model import Found, Refused
from community_metrics.discovery.places import line_after, table_in, text_in

if TYPE_CHECKING:
    from collections.abc import Mapping

_DO_NOT_UPLOAD: Final = "Private ::"  # PyPI refuses classifiers that begin so
_CRATES_IO: Final = "crates-io"  # what Cargo calls it in `publish`


def read_pyproject(_path: str, text: str) -> list[Found | Refused]:
    """Return the name of `[project]` or of `[tool.poetry]`."""
    manifest = _parsed(text)
    if isinstance(manifest, Refused):
        return [manifest]
    tools, project = table_in(manifest, "tool"), table_in(manifest, "project")
    poetry = table_in(tools, "poetry")
    has_poetry_name = text_in(project, "name") is None and "name" in poetry
    table, header = (poetry, "tool.poetry") if has_poetry_name else (project, "project")
    name, line = text_in(table, "name"), line_after(text, _header(header), r"name\s*=")
    if reason := _not_on_pypi(project, poetry, tools):
        return [Refused(reason, name, line)]
    if name is None:
        return [Refused(_without_name(project, tools), line=line)]
    return [Found("pypistats", name, line)]


def _not_on_pypi(project: Mapping[str, Any], poetry: Mapping[str, Any], tools: Mapping[str, Any]) -> str:
    """Return why the package is not published; nothing if it may be."""
    classifiers = [*_list(project.get("classifiers")), *_list(poetry.get("classifiers"))]
    if any(str(one).startswith(_DO_NOT_UPLOAD) for one in classifiers):
        return "it is private: a classifier keeps it off PyPI"
    if poetry.get("package-mode") is False or table_in(tools, "uv").get("package") is False:
        return "it says that it is no package (package-mode = false, or package = false)"
    return ""


def _without_name(project: Mapping[str, Any], tools: Mapping[str, Any]) -> str:
    if "name" in _list(project.get("dynamic")):
        return "its name is dynamic: it is made when the package is built"
    if "workspace" in table_in(tools, "uv"):
        return "it has no name, only a workspace, whose members are read by themselves"
    return "it has no name; one in setup.py or setup.cfg is not read"


def read_cargo(_path: str, text: str) -> list[Found | Refused]:
    """Return the name of `[package]`."""
    manifest = _parsed(text)
    if isinstance(manifest, Refused):
        return [manifest]
    package = table_in(manifest, "package")
    name, line = text_in(package, "name"), line_after(text, _header("package"), r"name\s*=")
    if name is None:
        has_members = "workspace" in manifest and "package" not in manifest
        what = "it has no name, only a workspace, whose members are read by themselves"
        return [Refused(what if has_members else "it has no name", line=line)]
    reason = _not_on_crates_io(package.get("publish", True))
    return [Refused(reason, name, line)] if reason else [Found("crates", name, line)]


def _not_on_crates_io(publish: object) -> str:
    """Return why a crate is not published there; nothing if it may be."""
    if publish is False or publish == []:
        return "it is private: publish = false"
    if isinstance(publish, dict):
        return "its workspace decides whether it is published (publish.workspace = true)"
    if isinstance(publish, list) and _CRATES_IO not in publish:
        return f"it is published elsewhere: publish = {publish}"
    return ""


def _parsed(text: str) -> Mapping[str, Any] | Refused:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        return Refused(f"it is not valid TOML: {error}")


def _header(table: str) -> str:
    return rf"\[\s*{re.escape(table)}\s*\]"


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
