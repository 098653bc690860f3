"""Feeds as they are written, and stories as they name something."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community_metrics.model import EventKind
from community_metrics.sources.feeds import Entry, entries_of
from community_metrics.sources.found import found_event, instant_of, release_kind
from community_metrics.sources.hacker_news import names_text
from tests.support.worlds import NOW

if TYPE_CHECKING:
    from collections.abc import Sequence

AT = datetime(2026, 11, 22, 10, 11, 12, tzinfo=UTC)
PAGE = "https://blog.example/1"
ATOM = f"""<?xml version="1.0"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>Blog</title><!-- a comment --><entry>
<id>urn:1</id><title type="html">Lance &amp; <![CDATA[DuckDB]]></title>
<link rel="self" href="https://blog.example/self"/><link href="{PAGE}"/>
<updated>2026-11-25T00:00:00Z</updated><published>2026-11-22T11:11:12+01:00</published></entry></feed>"""
RSS = f"""<rss version="2.0"><channel><title>Blog</title><item><guid isPermaLink="false">urn:1</guid>
<title>Lance &amp; DuckDB</title><link>{PAGE}</link><pubDate>Sun, 22 Nov 2026 10:11:12 GMT</pubDate></item>
</channel></rss>"""
RDF = f"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
xmlns:dc="http://purl.org/dc/elements/1.1/"><item><title>Lance &amp; DuckDB</title><link>{PAGE}</link>
<dc:date>2026-11-22T10:11:12Z</dc:date></item></rdf:RDF>"""


@pytest.mark.parametrize(("text", "identity"), [(ATOM, "urn:1"), (RSS, "urn:1"), (RDF, PAGE)])
def test_every_kind_of_feed_reads_alike(text: str, identity: str) -> None:
    assert entries_of(text.encode()) == (Entry(identity, "Lance & DuckDB", PAGE, AT),)


def test_an_entry_without_a_date_has_none() -> None:
    [entry] = entries_of(b"<rss><channel><item><title>x</title></item></channel></rss>")
    assert entry.published_at is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("<feed><entry>", "not well-formed XML"),
        ("<html><body/></html>", "its root is <html>"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><feed>&b;</feed>', "declares entities"),
        ('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><feed>&b;</feed>', "declares entities"),
        ("", "not well-formed XML"),
    ],
)
def test_what_is_no_feed_is_refused_with_the_reason(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        entries_of(text.encode())


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(content: bytes) -> None:
    with suppress(ValueError):
        entries_of(content)


@pytest.mark.parametrize(
    ("texts", "is_named"),
    [
        (["LanceDB 1.0 is out"], True),
        ([None, "https://lancedb.com/blog"], True),
        (["Show HN: lancedb"], True),
        (["LanceDBs"], False),
        (["balanced balancedb trees"], False),
        (["my-lancedb-fork"], False),
        ([None], False),
    ],
)
def test_a_story_names_a_text_only_as_a_whole_word(texts: Sequence[str | None], is_named: bool) -> None:
    assert names_text(texts, "LanceDB") is is_named


@pytest.mark.parametrize("version", ["0.4.0-beta.1", "v1.0rc2", "2.0.0a1", "1.0.0.dev3", "3.0.0-next.0"])
def test_a_preview_is_no_release(version: str) -> None:
    assert release_kind(version) is EventKind.PRE_RELEASE


@pytest.mark.parametrize("version", ["0.4.0", "v1.0", "python-v0.22.0", "1.0-community", "2.0.post1"])
def test_any_other_version_is_a_release(version: str) -> None:
    assert release_kind(version) is EventKind.RELEASE


def test_what_github_calls_a_preview_is_one() -> None:
    assert release_kind("v1.0", is_preview=True) is EventKind.PRE_RELEASE


@pytest.mark.parametrize("text", ["", "yesterday", None, 7, "0000-00-00"])
def test_what_is_no_instant_is_none(text: object) -> None:
    assert instant_of(text) is None


@given(st.text(), st.one_of(st.none(), st.text()))
def test_any_title_and_link_become_one_printable_line_or_no_event(title: str, url: str | None) -> None:
    event = found_event("x", EventKind.POST, NOW, title, url)
    assert event is None or (event.title.isprintable() and len(event.title) <= 300)
