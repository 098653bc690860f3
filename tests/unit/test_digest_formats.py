"""The formats of a digest: what each shows, folds away and escapes."""

from __future__ import annotations

import json
import re
from email import message_from_string
from email.policy import SMTP
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from community_metrics.digest.deck import deck_of
from community_metrics.digest.email import email_html_of, email_of
from community_metrics.digest.formats import Format, written
from community_metrics.digest.json import json_of
from community_metrics.digest.markdown import markdown_of
from community_metrics.digest.outline import outline_of
from community_metrics.digest.plain import WIDTH, text_of
from community_metrics.digest.slack import (
    MOST_BLOCKS,
    MOST_OF_ALL,
    MOST_OF_CONTEXT,
    MOST_OF_HEADER,
    MOST_OF_SECTION,
    message_of,
)
from community_metrics.model import EventKind, InsightKind
from community_metrics.model.digest_content import (
    Correction,
    Digest,
    DigestNote,
    Finding,
    Happening,
    SinceLast,
)
from community_metrics.periods import midnight
from tests.support.digests import OTHER, PYTHON, RUST, WEEK, digest_of, steady
from tests.support.events import note, release

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import EmailMessage

VALUES = {name: steady(100, WEEK.end) for name in (PYTHON, RUST, OTHER)}
DIGEST = digest_of(VALUES, stated=[release()], notes=[note()])
HOSTILE = "<b>|*x*|</b> @all [a](http://b) `c`\u202e\x1b[31m\nnew line"
FORMATS = [pytest.param(text_of, id="text"), pytest.param(markdown_of, id="markdown")]
NAMES = st.text(st.characters(codec="utf-8"), max_size=400) | st.sampled_from(("<!channel>", "&" * 900, "*"))


def changed(**fields: Any) -> Digest:
    return DIGEST.model_copy(update=fields)


def of_many(count: int, name: str = "Product") -> Digest:
    """Return a digest of many products."""
    score = DIGEST.scores[0]
    own = [score.model_copy(update={"product": f"p{at}", "name": f"{name} {at}"}) for at in range(count)]
    return changed(scores=tuple(own), charts=())


def finding(kind: InsightKind, sentence: str) -> Finding:
    fields = {"kind": kind, "rule": "x", "importance": 1, "unit": "downloads", "product": None}
    return Finding.model_validate(
        fields | {"metric_ids": (), "sentence": sentence, "numbers": {}, "link": "/x"}
    )


@pytest.mark.parametrize("render", FORMATS)
def test_the_first_line_says_what_it_is_about_and_whether_it_is_complete(
    render: Callable[[Digest], str],
) -> None:
    digest = digest_of({**VALUES, RUST: steady(1, WEEK.start)})
    first = render(digest).splitlines()[0]
    assert "week 2026-W47" in first
    assert "is not complete: 2 of 3" in " ".join(render(digest).split())


@pytest.mark.parametrize("render", FORMATS)
def test_products_that_are_folded_away_are_counted(render: Callable[[Digest], str]) -> None:
    shown = render(of_many(200))
    rows = sum(f"Product {at} " in shown or f"Product {at}|" in shown for at in range(200))
    assert 0 < rows < 200
    assert f"and {200 - rows} more products" in shown


@pytest.mark.parametrize("render", FORMATS)
def test_a_cause_that_a_person_names_has_the_name(render: Callable[[Digest], str]) -> None:
    shown = render(DIGEST)
    assert "Prashanth: Lance-DuckDB posts" in shown
    assert shown.index("What happened") < shown.index("What people say") < shown.index("Prashanth")


@pytest.mark.parametrize("render", FORMATS)
def test_text_from_elsewhere_has_no_control_character(render: Callable[[Digest], str]) -> None:
    told = DIGEST.notes[0].model_copy(update={"title": HOSTILE, "author": HOSTILE})
    shown = render(changed(notes=(told,), scores=of_many(3, HOSTILE).scores))
    assert not {"\u202e", "\x1b"} & set(shown)
    assert "\nnew line" not in shown


def test_no_text_from_elsewhere_is_markup_of_markdown() -> None:
    told = DIGEST.notes[0].model_copy(update={"title": HOSTILE})
    shown = markdown_of(changed(notes=(told,), scores=of_many(1, HOSTILE).scores))
    assert r"\<b\>\|\*x\*\|\</b\> \@all \[a\](http://b) \`c\`" in shown
    assert "<b>" not in shown


@given(st.integers(0, 10**11), st.integers(1, 40))
@settings(max_examples=30, deadline=None)
def test_a_line_of_text_has_at_most_80_columns(value: int, length: int) -> None:
    score = DIGEST.scores[0].model_copy(update={"value": value, "name": "ж日" * length})
    shown = text_of(changed(scores=(score,), total=None))
    assert f"{value:,}" in shown
    assert max(map(cell_len, shown.splitlines())) <= WIDTH


def test_a_product_that_is_not_complete_says_how_many_series_are() -> None:
    digest = digest_of({**VALUES, RUST: steady(1, WEEK.start)})
    [own] = [row for row in outline_of(digest, products=9, lines=9).rows if "1 of 2" in row.note]
    assert (own.value, own.change, own.year) == ("700", "-", "-")


def test_a_period_that_goes_on_has_no_table() -> None:
    shown = outline_of(digest_of(VALUES, now=midnight(WEEK.end)), products=9, lines=9)
    assert (shown.rows, shown.total, shown.more) == ((), None, None)


def test_no_kind_of_finding_hides_the_others() -> None:
    spikes = [finding(InsightKind.SPIKE, f"spike {at}") for at in range(9)]
    digest = changed(findings=(*spikes, finding(InsightKind.MILESTONE, "round")))
    [section] = [one for one in outline_of(digest, products=1, lines=4).sections if "changed" in one.heading]
    assert [line.text for line in section.lines] == ["spike 0", "spike 1", "spike 2", "round"]
    assert section.more == "and 6 more"


def test_of_one_kind_downloads_come_first() -> None:
    clones = finding(InsightKind.MOVER, "clones").model_copy(update={"unit": "clones"})
    digest = changed(findings=(clones, finding(InsightKind.MOVER, "downloads")))
    [section] = [one for one in outline_of(digest, products=1, lines=4).sections if "changed" in one.heading]
    assert [line.text for line in section.lines] == ["downloads", "clones"]


def test_previews_of_releases_are_counted_and_not_listed() -> None:
    preview = DIGEST.happenings[0].model_copy(update={"kind": EventKind.PRE_RELEASE})
    shown = text_of(changed(happenings=(preview, preview)))
    assert "2 days with previews" in shown
    assert "preview:" not in shown


def test_what_changed_since_the_last_digest_is_told_first_among_what_was_restated() -> None:
    correction = Correction(
        metric_id=PYTHON,
        mark=None,
        said=4_399_751,
        now=4_401_020,
        sentence="Last week we said 4,399,751",
        link="/x",
    )
    since = SinceLast(
        digest_id="2026-W46",
        period="2026-W46",
        corrections=(correction,),
        rules=("robust-range",),
        unchecked=0,
    )
    shown = text_of(changed(since_last=since))
    assert "- Last week we said 4,399,751" in shown
    assert "Rules that changed since the digest of 2026-W46: robust-range." in shown


def test_a_digest_after_which_nothing_changed_says_so() -> None:
    since = SinceLast(digest_id="2026-W46", period="2026-W46", corrections=(), rules=(), unchecked=0)
    assert "Nothing that the digest of 2026-W46 said has changed." in text_of(changed(since_last=since))


def test_more_events_than_can_be_listed_are_said_to_be_more() -> None:
    shown = text_of(changed(has_more_events=True, happenings=()))
    assert "More events than a digest lists" in shown


def test_links_lead_to_the_page_and_to_the_api_where_these_are_known() -> None:
    shown = markdown_of(changed(page_url="https://page.example", api_url="https://api.example"))
    assert "[The page](<https://page.example/?week=2026-W47>)" in shown
    assert "[The numbers](<https://api.example/api/v1/insights?week=2026-W47>)" in shown
    assert "GET /api/v1/insights?week=2026-W47" in markdown_of(DIGEST)


@pytest.mark.parametrize("render", FORMATS)
def test_invented_numbers_say_so(render: Callable[[Digest], str]) -> None:
    assert "Sample data: every number is invented." in render(changed(is_sample=True))
    assert "Sample data" not in render(DIGEST)


def test_json_has_everything_and_is_read_back() -> None:
    digest = of_many(200)
    assert Digest.model_validate_json(json_of(digest)) == digest


def test_the_same_digest_gives_the_same_bytes() -> None:
    again = Digest.model_validate_json(json_of(DIGEST))
    assert {form: written(again, form) for form in Format} == {form: written(DIGEST, form) for form in Format}


def test_an_event_has_its_page_and_what_it_is_called() -> None:
    one: Happening = DIGEST.happenings[0]
    note: DigestNote = DIGEST.notes[0]
    shown = markdown_of(DIGEST)
    assert f"{one.titles[0]}" in shown.replace("\\", "")
    assert f"<{one.url}>" in shown
    assert note.author in shown


class TestSlack:
    @given(name=NAMES, count=st.integers(0, 60), lines=st.integers(0, 30))
    @settings(max_examples=40, deadline=None)
    def test_a_message_is_within_the_limits_of_slack(self, name: str, count: int, lines: int) -> None:
        spikes = tuple(finding(kind, name * 9) for kind in list(InsightKind)[:5] for _ in range(lines))
        digest = of_many(count, name).model_copy(update={"findings": spikes, "name": name})
        blocks = message_of(digest)["blocks"]
        assert 0 < len(blocks) <= MOST_BLOCKS
        assert len(json.dumps(blocks, ensure_ascii=False)) <= MOST_OF_ALL + MOST_OF_CONTEXT
        for block in blocks:
            if block["type"] == "header":
                assert 0 < len(block["text"]["text"]) <= MOST_OF_HEADER
            if block["type"] == "section":
                assert 0 < len(block["text"]["text"]) <= MOST_OF_SECTION
            if block["type"] == "context":
                assert 0 < len(block["elements"]) <= 10
                assert all(0 < len(one["text"]) <= MOST_OF_CONTEXT for one in block["elements"])

    @given(NAMES)
    @settings(max_examples=40, deadline=None)
    def test_no_text_from_elsewhere_calls_anybody_or_is_a_link(self, name: str) -> None:
        digest = of_many(3, name).model_copy(update={"findings": (finding(InsightKind.SPIKE, name),)})
        for block in message_of(digest)["blocks"]:
            if block["type"] == "section":
                assert set(re.findall(r"<[^>]*>", block["text"]["text"])) <= {
                    f"<{one.url}|source>" for one in digest.happenings
                }

    def test_a_message_that_is_cut_says_so(self) -> None:
        spikes = tuple(finding(kind, "long " * 300) for kind in InsightKind for _ in range(2))
        blocks = message_of(changed(findings=spikes))["blocks"]
        assert any("and more: see the page" in json.dumps(block, ensure_ascii=False) for block in blocks)

    def test_a_notification_has_the_first_line(self) -> None:
        assert message_of(DIGEST)["text"] == DIGEST.first_line


class TestEmail:
    def parts(self, digest: Digest) -> tuple[EmailMessage, str, str]:
        message = message_from_string(email_of(digest), policy=SMTP)
        plain, html = message.iter_parts()
        return message, plain.get_content(), html.get_content()

    def test_it_has_a_plain_part_and_one_of_html_that_say_the_same(self) -> None:
        message, plain, html = self.parts(DIGEST)
        assert message.get_content_type() == "multipart/alternative"
        assert message["Subject"] == DIGEST.first_line
        assert plain.replace("\r\n", "\n") == text_of(DIGEST)
        assert html.replace("\r\n", "\n") == email_html_of(DIGEST)

    def test_it_has_what_mail_programs_keep_tables_and_inline_styles(self) -> None:
        html = email_html_of(DIGEST)
        assert not re.search(r"<(script|style|link|img|svg|form)\b|class=|@import|url\(", html)
        assert re.findall(r"<(?:td|th|p|h2|li)(?![^>]*style=)[^>]*>", html) == ['<td align="center">']

    @given(NAMES)
    @settings(max_examples=20, deadline=None)
    def test_a_header_is_one_line_whatever_the_catalogue_is_called(self, name: str) -> None:
        digest = digest_of(VALUES).model_copy(update={"first_line": f"{name} week"})
        message, _, _ = self.parts(digest)
        assert set(message.keys()) == {"Subject", "Date", "Content-Type", "MIME-Version"}


class TestDeck:
    def test_it_is_one_file_without_script_or_other_files(self) -> None:
        html = deck_of(changed(page_url="https://page.example"))
        assert not re.search(r"<(script|link|img|iframe)\b|@import|url\(|\son\w+=", html)

    def test_every_slide_is_a_page_and_says_its_number(self) -> None:
        html = deck_of(of_many(200))
        count = html.count('<section class="slide">')
        assert count > 4
        assert f"<span>{count} of {count}</span>" in html
        assert "and 170 more products" in html

    def test_speaker_notes_have_the_definitions(self) -> None:
        html = deck_of(DIGEST)
        [rule] = [one for one in DIGEST.rules if one.rule_id == "total-of-period"]
        assert rule.text.replace(">", "&gt;") in html
        assert ".notes { display: none }" in html

    def test_no_text_from_elsewhere_is_markup(self) -> None:
        told = DIGEST.notes[0].model_copy(update={"title": HOSTILE})
        html = deck_of(of_many(2, HOSTILE).model_copy(update={"notes": (told,)}))
        assert "&lt;b&gt;|*x*|&lt;/b&gt;" in html
        assert "<b>" not in html

    @given(st.lists(st.integers(1, 600), max_size=30))
    @settings(max_examples=20, deadline=None)
    def test_a_slide_has_room_for_its_lines(self, lengths: list[int]) -> None:
        told = [DIGEST.notes[0].model_copy(update={"title": "x" * length}) for length in lengths]
        html = deck_of(changed(notes=tuple(told)))
        for slide in re.findall(r'<section class="slide">(.*?)</section>', html):
            lines = re.findall(r"<li>(.*?)</li>", slide)
            assert len(lines) == 1 or sum(-(-len(line) // 98) for line in lines) <= 18
