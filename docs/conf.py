"""The documentation as a site: `make docs-site`. The menu is in index.md."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "community-metrics"
copyright = "The LanceDB Authors"  # noqa: A001  Sphinx's name for it
extensions = ["myst_parser"]
myst_heading_anchors = 4  # the anchors that GitHub gives to headings
linkcheck_ignore = [r"http://127\.0\.0\.1"]  # of a reader's own server
html_theme = "furo"
html_title = project
html_copy_source = False
html_show_sourcelink = False

_ROOT: Final = Path(__file__).parents[1]
_REPOSITORY: Final = "https://github.com/lancedb/community-metrics/blob/main"
_OUTSIDE: Final = re.compile(r"(?<=\]\()\.\./([^)#\s]+)")
"""A link to a file of the repository that is no page of the site."""


def setup(app: Sphinx) -> dict[str, Any]:
    """Let links out of this folder lead to the repository."""
    app.connect("source-read", _link_to_repository)
    return {"parallel_read_safe": True}


def _link_to_repository(_app: Sphinx, page: str, source: list[str]) -> None:
    for name in _OUTSIDE.findall(source[0]):
        if not (_ROOT / name).exists():
            logging.getLogger(__name__).warning("no file ../%s", name, location=page)
    source[0] = _OUTSIDE.sub(rf"{_REPOSITORY}/\1", source[0])
