"""Text from outside, made fit for a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community_metrics.errors import SourceError
from community_metrics.text import one_line, several_lines, signed, without_controls


@given(st.text())
def test_a_line_is_printable_and_cleaning_it_again_changes_nothing(text: str) -> None:
    line = one_line(text)
    assert line == "" or line.isprintable()
    assert one_line(line) == line


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_what_can_be_seen_stays_as_it_is(text: str) -> None:
    assert several_lines(text) == text


def test_lines_stay_apart_and_escapes_are_shown() -> None:
    assert several_lines("a\n\t\x1b[2Jb\r") == "a\n\t\\x1b[2Jb\\r"
    assert one_line("a\n\t\x1b[2Jb\r") == r"a \x1b[2Jb"


@pytest.mark.parametrize("name", ["Łódź", "a\u00a0b", "👩\u200d💻", "日本", "a\nb"])
def test_names_of_any_language_stay_as_they_are(name: str) -> None:
    assert without_controls(name) == name


def test_control_and_direction_characters_are_left_out() -> None:
    assert without_controls("\x08a\x1b[2J\u202eb\u2028") == "a[2Jb"


@given(st.text(), st.text(), st.text(), st.text())
def test_every_text_of_a_source_error_is_printable(detail: str, subject: str, url: str, fix: str) -> None:
    error = SourceError(detail, source="npm", subject=subject, url=url, fix=fix)
    assert str(error).isprintable()
    assert error.message.isprintable()


@pytest.mark.parametrize(
    ("number", "spec", "text"),
    [
        (1_234, ",", "+1,234"),
        (-1_234, ",", "\N{MINUS SIGN}1,234"),
        (0.645, ".1%", "+64.5%"),
        (-0.02, ".1%", "\N{MINUS SIGN}2.0%"),
    ],
)
def test_a_fall_has_a_minus_sign_and_no_hyphen(number: float, spec: str, text: str) -> None:
    assert signed(number, spec) == text
