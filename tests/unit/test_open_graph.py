"""The tags of a link: for programs that show links, with absolute addresses, and of any words."""

from __future__ import annotations

import sys
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community_metrics.api.open_graph import (
    is_read_for_a_preview,
    link_query,
    origin_of,
    page_of,
    tags_of,
    with_tags,
)
from community_metrics.api.schemas.preview import Preview
from community_metrics.charts.drawing import Chart, Dot, Line
from community_metrics.charts.png import HEIGHT, WIDTH, can_draw, chart_png
from community_metrics.charts.text import cleaned
from community_metrics.periods import Grain, last_periods, period_of

PAGE = (Path(__file__).parents[2] / "frontend/index.html").read_text(encoding="utf-8")
IMAGE = "/api/v1/preview.png?week=2026-W47&product=lance"


class Tags(HTMLParser):
    """Reads the tags of a page as a program that shows links does."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, list[str]] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("property") or given.get("name")
        if tag == "meta" and name is not None:
            self.found.setdefault(name, []).append(given.get("content") or "")


def preview(
    title: str = "Lance, 2026-W47", said: str = "5,379 downloads.", image: str | None = IMAGE
) -> Preview:
    # the tags say nothing of freshness
    fields: dict[str, Any] = {"week": "2026-W47", "title": title, "description": said, "image": image}
    return Preview.model_construct(**fields)


def scope(host: str, scheme: str = "https") -> dict[str, Any]:
    return {"scheme": scheme, "headers": [(b"host", host.encode("latin-1"))]}


@pytest.mark.parametrize(
    "agent",
    [
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "Twitterbot/1.0",
        "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
        "WhatsApp/2.23.20.0",
        "TelegramBot (like TwitterBot)",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    ],
)
def test_programs_that_show_links_get_the_numbers(agent: str) -> None:
    assert is_read_for_a_preview(agent)


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0 Safari/537.36",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0",
        "curl/8.14",
        "",
    ],
)
def test_a_browser_does_not_wait_for_them(agent: str) -> None:
    assert not is_read_for_a_preview(agent)


@given(st.text(), st.text())
def test_tags_of_any_words_are_read_back_as_they_are(title: str, said: str) -> None:
    for page in (with_tags(PAGE, tags_of(preview(title, said), None)), page_of(preview(title, said), None)):
        found = Tags(page).found
        assert found["og:title"] == [cleaned(title)]
        assert found["og:description"] == found["description"] == [cleaned(said)]
        assert found["twitter:card"] == ["summary"]
        assert "og:image" not in found


def test_the_picture_has_an_absolute_address_its_size_and_a_text() -> None:
    found = Tags(with_tags(PAGE, tags_of(preview(), "https://metrics.example.org"))).found
    assert found["og:image"] == [f"https://metrics.example.org{IMAGE}"]
    assert (found["og:image:width"], found["og:image:height"]) == (["1200"], ["630"])
    assert found["og:image:type"] == ["image/png"]
    assert found["og:image:alt"][0]
    assert found["twitter:card"] == ["summary_large_image"]


def test_the_page_of_a_static_host_has_tags_without_numbers() -> None:
    found = Tags(PAGE).found
    assert {"og:title", "og:description", "og:type", "twitter:card", "description"} <= found.keys()
    assert not any(char.isdigit() for char in found["og:description"][0])


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("metrics.example.org", "https://metrics.example.org"),
        ("127.0.0.1:8000", "https://127.0.0.1:8000"),
        ("[::1]:8000", "https://[::1]:8000"),
        ('x"><script>', None),
        ("user@host", None),
        ("a/b", None),
        ("", None),
    ],
)
def test_an_origin_is_a_host_and_nothing_else(host: str, origin: str | None) -> None:
    assert origin_of(scope(host)) == origin


def test_a_preview_depends_on_the_week_and_the_product_of_a_link() -> None:
    assert link_query(b"by=day&product=lance&week=2026-W47&hide=x") == "week=2026-W47&product=lance"
    assert link_query(b"") == link_query(b"product=&theme=dark") == ""


def chart() -> Chart:
    periods = last_periods(period_of(date(2026, 11, 22), Grain.WEEK), 3)
    return Chart("Lance", "downloads per week", periods, [Line("Lance", [Dot(1), Dot(None), Dot(3)])])


def test_the_picture_is_a_png_of_the_size_that_the_tags_say() -> None:
    assert can_draw()
    drawn = chart_png(chart())
    assert drawn.startswith(b"\x89PNG\r\n\x1a\n")
    assert (int.from_bytes(drawn[16:20]), int.from_bytes(drawn[20:24])) == (WIDTH, HEIGHT)
    assert len(drawn) < 300_000


def test_without_the_extra_there_is_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    assert not can_draw()
