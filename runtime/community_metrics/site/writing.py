"""Writes a site: the page, the scripts with its answers, and the files for everybody else."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from community_metrics.errors import SiteError
from community_metrics.site.asking import frozen_api
from community_metrics.site.files_page import feed_links, files_page
from community_metrics.site.folder import mark, new_folder
from community_metrics.site.freezing import freeze

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from community_metrics.clock import Clock
    from community_metrics.config import Settings
    from community_metrics.site.asking import Answer
    from community_metrics.site.freezing import FrozenAnswers

WEEKS: Final = 52
"""Weeks of the first screen, the newest; charts have the whole history."""


@dataclass(frozen=True, slots=True)
class SiteReport:
    """What was written, and the end of the newest run that it has."""

    as_of: datetime
    files: int
    size: int


async def write_site(
    settings: Settings,
    target: Path,
    page: Path,
    *,
    weeks: int = WEEKS,
    address: str | None = None,
    is_team: bool = False,
    clock: Clock | None = None,
) -> SiteReport:
    """Write the site into `target`, whole or not at all: the same bytes for the same state of the database.

    `address` is where it is published; without it there are no feeds.

    Raises:
        ConfigurationError: the target has files of somebody else, or the catalogue is invalid.
        SiteError: the API, storage or the disk failed, or no run has ended yet.
    """
    with new_folder(target) as folder:
        async with frozen_api(settings, is_team=is_team, address=address, clock=clock) as api:
            frozen, as_of = await freeze(api, weeks, address), api.as_of
        shutil.copytree(page, folder, dirs_exist_ok=True)
        audience = "team" if is_team else "public"
        facts = {"as_of": f"{as_of:%Y-%m-%dT%H:%M:%SZ}", "audience": audience}
        _write_scripts(folder / "frozen", frozen, {**facts, "has_feeds": address is not None})
        _write_files(folder, frozen, as_of)
        (folder / ".nojekyll").touch()  # else GitHub Pages may leave files out
        mark(folder, {**facts, "version": version("community-metrics")})
        written = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return SiteReport(as_of, len(written), sum(written))


def _write_scripts(folder: Path, frozen: FrozenAnswers, facts: Mapping[str, str | bool]) -> None:
    folder.mkdir()
    scripts = {path: f"{group}.js" for group, answers in frozen.groups.items() for path in answers}
    weeks = {"newest_week": frozen.newest_week, "oldest_week": frozen.oldest_week}
    index = {**facts, **weeks, "scripts": scripts, "answers": {}}
    _write(folder / "index.js", f"globalThis.frozenSite = {json.dumps(index, indent=1)};\n")
    for group, answers in frozen.groups.items():
        lines = "".join(_assignment(path, answer) for path, answer in answers.items())
        _write(folder / f"{group}.js", lines)


def _assignment(path: str, answer: Answer) -> str:
    body = answer.body.decode()  # JSON is an expression of JavaScript
    return f"frozenSite.answers[{json.dumps(path)}] = {{ status: {answer.status}, body: {body} }};\n"


def _write_files(folder: Path, frozen: FrozenAnswers, as_of: datetime) -> None:
    for file, body in frozen.files.items():
        path = folder / "api" / "v1" / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    _write(folder / "files.html", files_page(frozen.files, as_of))
    _write(folder / "index.html", _with_feeds(folder / "index.html", feed_links(frozen.files)))


def _with_feeds(page: Path, links: str) -> str:
    head, end, rest = page.read_text(encoding="utf-8").partition("</head>")
    if not end:
        raise SiteError(
            f"{page.name} of the page has no </head>, so it is no built page. Nothing was changed. Fix: name "
            "another folder with --page."
        )
    return f"{head}{links}{end}{rest}"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
