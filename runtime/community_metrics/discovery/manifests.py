"""Which files of a repository are read, by what, and which are not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, TypeAlias

from community_metrics.discovery.images import read_workflow
from community_metrics.discovery.json_manifests import read_composer, read_package
from community_metrics.discovery.model import Found, Refused
from community_metrics.discovery.other_manifests import read_csproj, read_gemspec
from community_metrics.discovery.readme import readme_reader
from community_metrics.discovery.toml_manifests import read_cargo, read_pyproject
from community_metrics.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from community_metrics.discovery.github import Tree, TreeEntry

Reader: TypeAlias = Callable[[str, str], list[Found | Refused]]
"""Returns what a manifest says, from its path and its text."""
MOST_BYTES: Final = 500_000
MOST_FILES: Final = 40
"""Of one repository: each file is one request, and GitHub gets one in a second."""
_BY_NAME: Final[Mapping[str, Reader]] = {
    "pyproject.toml": read_pyproject,
    "package.json": read_package,
    "Cargo.toml": read_cargo,
    "composer.json": read_composer,
}
_BY_ENDING: Final[Mapping[str, Reader]] = {".gemspec": read_gemspec, ".csproj": read_csproj}
_README: Final = re.compile(r"readme(\.(md|markdown|rst|txt))?", re.IGNORECASE)
_DOCKERFILE: Final = re.compile(r"(.+\.)?(Dockerfile|Containerfile)(\..+)?")
_WORKFLOW: Final = re.compile(r"\.github/workflows/[^/]+\.ya?ml")
_OF_OTHERS: Final = {"node_modules", "third_party", "vendor", "site-packages", ".venv"}
_NOT_PUBLISHED: Final = {
    *("test", "tests", "testdata", "test-data", "__tests__", "fixtures", "spec", "e2e"),
    *("example", "examples", "sample", "samples", "demo", "demos"),
    *("bench", "benches", "benchmark", "benchmarks", "template", "templates", "docs", "website"),
}
_BLOB, _LINK_MODE = "blob", "120000"


@dataclass(frozen=True, slots=True)
class Selection:
    """The files to read, in order, each with its reader; and those that are not read, with the reason.

    `dockerfile` is the first one of the repository, if it has any.
    """

    to_read: tuple[tuple[TreeEntry, Reader], ...]
    not_read: tuple[tuple[str, str], ...]
    dockerfile: str | None


def select_files(tree: Tree, owner: str) -> Selection:
    """Return which manifests of a repository are read: those near its root first."""
    files = [one for one in tree.tree if one.type == _BLOB and one.mode != _LINK_MODE]
    files.sort(key=lambda one: (one.path.count("/"), one.path))
    dockerfile = next((one.path for one in files if _is_dockerfile(one.path)), None)
    known = [
        (one, reader) for one in files if (reader := _reader(one.path, owner, reads_images=bool(dockerfile)))
    ]
    inside = [(one, reader) for one, reader in known if _aside(one.path) is None]
    small = [(one, reader) for one, reader in inside if (one.size or 0) <= MOST_BYTES]
    not_read = [
        *((one.path, _too_large(one)) for one, _ in inside if (one.size or 0) > MOST_BYTES),
        *((one.path, f"it is beyond the first {MOST_FILES} files") for one, _ in small[MOST_FILES:]),
        *_left_aside(one.path for one, _ in known),
    ]
    if tree.truncated:
        not_read.append(("", "GitHub lists only a part of its files, because it has so many"))
    return Selection(tuple(small[:MOST_FILES]), tuple(not_read), dockerfile)


def _reader(path: str, owner: str, *, reads_images: bool) -> Reader | None:
    """Return what reads a file; None for one that is no manifest."""
    place = PurePosixPath(path)
    if reads_images and _WORKFLOW.fullmatch(path):
        return read_workflow
    if "/" not in path and _README.fullmatch(path):
        return readme_reader(owner)
    return _BY_NAME.get(place.name) or _BY_ENDING.get(place.suffix)


def _is_dockerfile(path: str) -> bool:
    return _DOCKERFILE.fullmatch(PurePosixPath(path).name) is not None and _aside(path) is None


def _aside(path: str) -> str | None:
    """Return the first folder of a path that holds work of others, tests or examples; None without one."""
    folders = PurePosixPath(path).parts[:-1]
    for depth, folder in enumerate(folders, 1):
        if folder.lower() in _OF_OTHERS | _NOT_PUBLISHED:
            return "/".join(folders[:depth])
    return None


def _left_aside(paths: Iterable[str]) -> list[tuple[str, str]]:
    """Return one line for each folder whose manifests are not read."""
    counts = Counter(folder for path in paths if (folder := _aside(path)) is not None)
    return [
        (folder, f"{counted(number, 'manifest')} of a folder of tests, examples or copies, not read")
        for folder, number in sorted(counts.items())
    ]


def _too_large(entry: TreeEntry) -> str:
    return f"it has {entry.size:,} bytes, more than the {MOST_BYTES:,} that are read"
