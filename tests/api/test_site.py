"""The page as static files: the numbers of the API, nothing of the team, the same bytes each time."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

import pytest

from community_metrics.api import atom
from community_metrics.errors import ConfigurationError, SiteError
from community_metrics.site.asking import frozen_api
from community_metrics.site.feeds import FEEDS, Published, site_address
from community_metrics.site.page import static_page
from community_metrics.site.writing import write_site
from community_metrics.storage.lancedb_store import LanceDBStore
from tests.api.test_visibility import ALONE, IN_TOTAL, WORDS
from tests.api.test_visibility import fill as fill_with_team
from tests.support import api as support
from tests.support.api import PYTHON
from tests.support.clock import NOON, FakeClock

if TYPE_CHECKING:
    from pathlib import Path

    from community_metrics.config import Settings
    from tests.support.api import Place

ADDRESS = "https://team.github.io/metrics/"
TAG = "tag:github.com,2026:lancedb/community-metrics/team.github.io/metrics/"
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A built page; what is in it is tested in a browser."""
    folder = tmp_path / "dist-static"
    folder.mkdir(parents=True)
    (folder / "index.html").write_text("<head></head>the page")
    return static_page(folder)


async def written(
    settings: Settings, target: Path, page: Path, address: str | None = None
) -> dict[str, bytes]:
    """Write a site of one week, and return its files by their names."""
    await write_site(settings, target, page, weeks=1, address=address, clock=FakeClock(NOON))
    return read(target)


def read(target: Path) -> dict[str, bytes]:
    """Return the files of a folder by their names."""
    files = [path for path in target.rglob("*") if path.is_file()]
    return {path.relative_to(target).as_posix(): path.read_bytes() for path in files}


def answers_of(files: dict[str, bytes]) -> dict[str, Any]:
    """Return the body of each answer of the page by its path."""
    line = re.compile(r'^frozenSite\.answers\["(.*?)"\] = \{ status: (\d+), body: (.*) \};$', re.MULTILINE)
    scripts = [body.decode() for name, body in files.items() if name.startswith("frozen/")]
    return {found[1]: json.loads(found[3]) for text in scripts for found in line.finditer(text)}


def texts_of(feed: ET.Element) -> list[tuple[str, str]]:
    """Return all that a feed says but where it is and where it leads to."""
    own = f"{feed.findtext(f'{ATOM}id', '').rpartition('/')[0]}/"
    return [(element.tag, (element.text or "").removeprefix(own)) for element in feed.iter()]


def index_of(files: dict[str, bytes]) -> dict[str, Any]:
    """Return what the page reads first."""
    text = files["frozen/index.js"].decode()
    index: dict[str, Any] = json.loads(text.removeprefix("globalThis.frozenSite = ").removesuffix(";\n"))
    return index


@pytest.mark.timeout(400)  # it writes two sites
async def test_a_frozen_number_is_the_apis_at_the_end_of_the_newest_run(
    filled_local: Place, tmp_path: Path, page: Path
) -> None:
    files = await written(filled_local.reading, tmp_path / "site", page)
    index, answers = index_of(files), answers_of(files)
    newest = max(run.finished_at or run.started_at for run in support.RUNS)
    assert index["as_of"] == f"{newest:%Y-%m-%dT%H:%M:%SZ}"
    assert index["audience"] == "public"
    assert index["scripts"].keys() == answers.keys()
    async for api in support.serving(filled_local.reading):
        for path in ("/overview", "/insights?week=2026-W47", "/definitions", "/outages?format=json"):
            body = (await api.get(path.removeprefix("/"))).json()
            del body["freshness"], answers[path]["freshness"]  # it has the time of the answer
            assert answers[path] == body
        csv = await api.get(f"series/{PYTHON}?grain=day&format=csv")
    assert files[f"api/v1/series/{PYTHON.replace(':', '~')}.csv"] == csv.content
    again = await written(filled_local.reading, tmp_path / "site", page)
    assert again == files
    assert [name for name in files if name.endswith(".atom")] == []
    assert files["index.html"] == (page / "index.html").read_bytes()
    assert index["has_feeds"] is False


@pytest.mark.timeout(300)
async def test_a_published_site_has_feeds_whose_links_lead_to_it(
    filled_local: Place, tmp_path: Path, page: Path
) -> None:
    files = await written(filled_local.reading, tmp_path / "site", page, ADDRESS)
    index, pages = index_of(files), [files[name].decode() for name in ("index.html", "files.html")]
    assert index["has_feeds"] is True
    for route in ("insights", "restatements", "outages", "digests"):
        feed = ET.fromstring(files[f"api/v1/{route}.atom"])  # noqa: S314  our own bytes
        async for api in support.serving(filled_local.reading):
            sent = ET.fromstring((await api.get(f"{route}?format=atom")).content)  # noqa: S314
        assert texts_of(feed) == texts_of(sent)
        ids = {one.text for one in feed.iter(f"{ATOM}id")}
        assert all(str(one).startswith(TAG) for one in ids)
        assert ids.isdisjoint({one.text for one in sent.iter(f"{ATOM}id")})
        own, *others = (link.attrib for link in feed.iter(f"{ATOM}link"))
        assert own["href"] == f"{ADDRESS}api/v1/{route}.atom"
        found = f'<link rel="alternate" type="application/atom+xml" title="{FEEDS[route]}'
        assert all(found in text.partition("</head>")[0] for text in pages)
        for link in others:
            target = link["href"].removeprefix(ADDRESS)
            name, _, query = target.partition("?")
            assert target != link["href"]
            assert name in files or (name == "" and link["type"] == "text/html")
            for key, value in parse_qsl(query):
                path = {"week": f"/overview?week={value}", "product": f"/events?product={value}"}[key]
                assert path in index["scripts"]


def test_an_outage_leads_to_the_page_and_a_metric_without_a_page_to_its_file() -> None:
    file, link = "series/registry~npm~all.csv", "/api/v1/series/registry:npm:all?grain=day"
    site = Published(ADDRESS, {}, {"2026-W47"}, {file})

    def target_in(route: str) -> dict[str, str]:
        entry = atom.Entry("2026-W47/x", "x", NOON, link)
        sent = atom.feed(route, "x", "/api/v1/x", [entry], NOON, tag=atom.tag_of(ADDRESS))
        feed = ET.fromstring(site.feed(route, sent))  # noqa: S314  our own bytes
        _, target = feed.iter(f"{ATOM}link")
        return {name: target.attrib[name] for name in ("type", "href")}

    assert target_in("outages") == {"type": "text/html", "href": ADDRESS}
    assert target_in("restatements") == {"type": "text/csv", "href": f"{ADDRESS}api/v1/{file}"}


LOGIN = "me:" + "hidden@example.org"  # in two parts: the scan for credentials would take it for one


@pytest.mark.parametrize(
    "url",
    [
        *("metrics.example.org", "ftp://example.org", "https://", "https://example.org/?a=b", "https://a:x/"),
        *(f"https://{LOGIN}", 'https://example.org/"', "https://example.org/#a"),
        *(
            "https://example.org/a\nb/",
            "https://example.org/a\r\nb/",
            "https://exam\tple.org/",
            "https://a.org/\x7f",
        ),
        *(
            "https://a.org/\u2028",
            "https://a.org/\x00",
            " https://a.org/",
            f"https://{LOGIN}:x/",
        ),
        *(LOGIN, f"https:///{LOGIN}/"),
    ],
)
def test_what_is_no_address_of_a_folder_is_refused_and_no_password_repeated(url: str) -> None:
    with pytest.raises(ValueError, match=r"such as https://team\.github\.io/metrics/") as refused:
        site_address(url)
    assert "hidden" not in str(refused.value)


def test_the_address_of_a_folder_ends_with_a_slash() -> None:
    for url in (ADDRESS, ADDRESS.rstrip("/")):
        assert site_address(url) == ADDRESS


@pytest.mark.parametrize(
    "url", ["https://example.org/@team/metrics/", "http://[::1]:8000/", "https://example.org/métriques/"]
)
def test_an_address_may_have_an_at_sign_in_its_path_and_letters_of_any_language(url: str) -> None:
    assert site_address(url) == url


@pytest.mark.timeout(300)
async def test_only_with_team_it_has_what_only_the_team_may_see(tmp_path: Path, page: Path) -> None:
    place = support.local_place(tmp_path / "database")
    await fill_with_team(place, with_team=True)
    # where nobody may read without a token, a site has what is public, and no more
    settings = place.reading.model_copy(update={"api_token_hashes": ("0" * 64,), "public_read": False})
    public = await written(settings, tmp_path / "public", page)
    found = [(name, word) for name, body in public.items() for word in WORDS if word.encode() in body]
    assert found == []
    assert [name for name in public if "umbra" in name] == []
    async with frozen_api(settings, is_team=True, clock=FakeClock(NOON)) as team:
        shown = await team.body("/definitions")
        for metric_id in (IN_TOTAL, ALONE):
            assert metric_id.encode() in shown
            assert b"<svg" in await team.body(f"/badge/{metric_id}.svg")


@pytest.mark.parametrize("has_tables", [False, True])
async def test_without_data_the_error_names_the_commands_that_bring_some(
    tmp_path: Path, page: Path, *, has_tables: bool
) -> None:
    place = support.local_place(tmp_path / "database")
    if has_tables:
        async with LanceDBStore.open(place.writing) as store:
            await store.create_tables()
    with pytest.raises(SiteError, match=r"refresh.*seed.*CM_DB_PATH") as refused:
        await written(place.reading, tmp_path / "site", page)
    said = "The database has no run" if has_tables else f"There is no database at {place.reading.db_path}"
    assert str(refused.value).startswith(f"{said}, so there is nothing to freeze.")
    assert not (tmp_path / "site").exists()


async def test_a_page_without_a_head_is_named_with_the_fix(
    filled_local: Place, tmp_path: Path, page: Path
) -> None:
    (page / "index.html").write_text("no page")
    with pytest.raises(SiteError, match=r"index\.html of the page has no </head>.*--page"):
        await written(filled_local.reading, tmp_path / "site", page, ADDRESS)
    assert not (tmp_path / "site").exists()


def test_a_page_that_is_not_built_is_named_with_the_fix(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="make frontend"):
        static_page(tmp_path)
