"""The documentation as a site: every page is in the menu once, no link is dead, no page asks another host."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
MENU = re.findall(r"```\{toctree\}\n(.*?)```", (DOCS / "index.md").read_text(encoding="utf-8"), re.DOTALL)
(RECIPE,) = re.findall(
    r"^docs-site:.*\n\t\$\(BIN\)/sphinx-build (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE
)
LOADING = {"script": "src", "img": "src", "iframe": "src", "source": "src", "object": "data", "embed": "src"}
"""Elements that load what they name as soon as the page is shown."""


def built(docs: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Build a folder of pages as `make docs-site` does."""
    options = RECIPE.replace("dist/doctrees docs dist/docs", "").split()
    return subprocess.run(
        [sys.executable, "-m", "sphinx", *options, site.with_name("doctrees"), docs, site],
        capture_output=True, text=True, check=False, timeout=200,
    )  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the whole site, built once."""
    folder = tmp_path_factory.mktemp("docs") / "site"
    done = built(DOCS, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_page_is_in_the_menu_once() -> None:
    lines = [line.strip() for part in MENU for line in part.splitlines()]
    listed = Counter(line for line in lines if line and not line.startswith(":"))
    pages = {page.stem for page in DOCS.glob("*.md")} - {"index"}
    assert pages - set(listed) == set(), "Fix: add the page to one of the lists of docs/index.md."
    assert set(listed) - pages == set()
    assert [name for name, count in listed.items() if count > 1] == []


@pytest.mark.timeout(240)
def test_the_site_is_built_without_a_warning(site: Path) -> None:
    assert {page.stem for page in site.glob("*.html")} >= {page.stem for page in DOCS.glob("*.md")}


@pytest.mark.timeout(240)
def test_a_dead_link_is_an_error(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    shutil.copy(DOCS / "conf.py", docs)
    links = "[page](gone.md), [anchor](index.md#gone), [file](../gone.txt)"
    (docs / "index.md").write_text(f"# Index\n\n{links}\n", encoding="utf-8")
    done = built(docs, tmp_path / "site")
    assert done.returncode != 0
    assert "cross-reference target not found: 'gone.md'" in done.stderr
    assert "local id not found in doc 'index': 'gone'" in done.stderr
    assert "no file ../gone.txt" in done.stderr


class _Addresses(HTMLParser):
    """Collects the addresses that a browser loads to show a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = "href" if tag == "link" and given.get("rel") not in {"canonical", "next", "prev"} else ""
        address = given.get(LOADING.get(tag, name))
        if address:
            self.found.append(address)


@pytest.mark.timeout(240)
def test_no_page_loads_anything_from_another_host(site: Path) -> None:
    addresses = _Addresses()
    for page in site.rglob("*.html"):
        addresses.feed(page.read_text(encoding="utf-8"))
    for sheet in site.rglob("*.css"):
        addresses.found += re.findall(r"(?:url\(|@import )['\"]?([^'\")]+)", sheet.read_text("utf-8"))
    assert len(addresses.found) > 100
    assert {one for one in addresses.found if urlsplit(one).netloc} == set()
