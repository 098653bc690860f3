"""`files.html`: what a site has for other programs, as a list of links."""

from __future__ import annotations

from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from community_metrics.api.atom import MEDIA_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from community_metrics.site.paths import OtherFile

_TITLES: Final = {
    "": "All products",
    "series": "Series: every day as CSV, every week as JSON",
    "badge": "Badges",
    "sparkline": "Sparklines",
    "chart": "Charts",
    "digests": "Digests",
}
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE: Final = (
    ":root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif } "
    "body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem } li { overflow-wrap: anywhere }"
)


def files_page(files: Iterable[OtherFile], as_of: datetime) -> str:
    """Return the page that links to every file."""
    files = sorted(files, key=_order)
    parts = [
        _section(folder, list(found)) for folder, found in groupby(files, key=lambda file: _folder(file.name))
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Files</title>\n<style>{_STYLE}</style>\n{feed_links(files)}</head>\n<body>\n<main>\n<h1>Files</h1>\n"
        f"<p>The answers of the API as of {as_of:%Y-%m-%d %H:%M} UTC. They do not change until the site is "
        'made again. <a href="./index.html">Back to the page</a></p>\n'
        f"{''.join(parts)}</main>\n</body>\n</html>\n"
    )


def feed_links(files: Iterable[OtherFile]) -> str:
    """Return what a feed reader looks for in a page at the top of the site; without feeds it is empty."""
    return "".join(
        f'<link rel="alternate" type="{MEDIA_TYPE}" title="{escape(file.title)}" href="{_address(file)}">\n'
        for file in sorted(files, key=_order)
        if file.name.endswith(".atom")
    )


def _section(folder: str, files: list[OtherFile]) -> str:
    lines = "".join(
        f'<li><a href="{_address(file)}">{escape(file.name)}</a>: {escape(file.title)}</li>\n'
        for file in files
    )
    return f"<h2>{escape(_TITLES[folder])}</h2>\n<ul>\n{lines}</ul>\n"


def _address(file: OtherFile) -> str:
    return f"./api/v1/{quote(file.name, safe='/~')}"


def _order(file: OtherFile) -> tuple[int, str]:
    return list(_TITLES).index(_folder(file.name)), file.name


def _folder(name: str) -> str:
    return name.rpartition("/")[0]
