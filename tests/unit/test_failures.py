"""Failures with one cause are one line, whatever metric they hit and in whatever order they come."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from community_metrics.errors import (
    SourceError,
    SourceRateLimited,
    SourceUnreachable,
    TransientSourceError,
    UnknownSubject,
)
from community_metrics.model import RunStatus
from community_metrics.series.failures import (
    SUMMARY_LIMIT,
    Failure,
    error_summary,
    grouped_failures,
    run_status,
)
from tests.support.rows import failed, fetched

if TYPE_CHECKING:
    from community_metrics.model import RunOutcome

RETRY = "2026-11-23T17:00:00Z"
REFUSED = "api.github.com cannot be reached: connection refused"


def unreachable(*metric_ids: str) -> list[RunOutcome]:
    return [failed("run-1", name, REFUSED, url=f"https://api.github.com/repos/{name}") for name in metric_ids]


class TestText:
    def test_an_error_has_its_facts_in_its_text(self) -> None:
        error = SourceUnreachable(
            "connection refused",
            source="npm",
            subject="x",
            url="https://npm.example/x",
            attempts=4,
        )
        assert error.message == "npm.example cannot be reached: connection refused"
        assert str(error) == (
            "npm x: https://npm.example/x cannot be reached: connection refused; given up after 4 attempts"
        )

    @pytest.mark.parametrize(
        ("error", "message"),
        [
            (TransientSourceError(source="crates", subject="a", url="https://crates.io/a", http_status=503),
             "crates.io returned 503"),
            (UnknownSubject("no crate of that name", source="crates", subject="a", url="https://crates.io/a",
                            http_status=404, fix="correct the subject"),
             "crates.io returned 404: no crate of that name. Fix: correct the subject"),
            (SourceRateLimited("requests are limited", source="crates", subject="a", url="https://crates.io/a",
                               http_status=429, retry_at=datetime.fromisoformat(RETRY)),
             f"crates.io returned 429: requests are limited; it accepts no request before {RETRY}"),
            (TransientSourceError("the JSON is cut short", source="crates", subject="a",
                                  url="https://crates.io/a", http_status=200),
             "crates.io: the JSON is cut short"),
            (SourceError("no result", source="gems", subject="a"), "gems: no result"),
        ],
    )  # fmt: skip
    def test_a_message_names_host_status_detail_and_fix_but_no_subject(
        self, error: SourceError, message: str
    ) -> None:
        assert error.message == message
        assert replace(error, subject="b", attempts=0).message == message

    def test_an_error_without_a_request_says_that_none_was_sent(self) -> None:
        error = replace(TransientSourceError("x", source="npm", subject="a", attempts=4), attempts=0)
        assert str(error) == "npm a: x; no request was sent, because an earlier one failed"


class TestGroups:
    def test_metrics_with_one_cause_are_one_line(self) -> None:
        (failure,) = grouped_failures(unreachable("a", "b", "c", "d", "e"))
        assert failure.message == f"{REFUSED} (5 metrics: a, b, c and 2 more)"
        assert (failure.url, failure.metric_ids) == ("https://api.github.com", ("a", "b", "c", "d", "e"))

    @pytest.mark.parametrize(
        ("names", "listed"),
        [
            ("ab", "2 metrics: a, b"),
            ("abc", "3 metrics: a, b, c"),
            ("abcd", "4 metrics: a, b, c and 1 more"),
        ],
    )
    def test_a_line_names_three_metrics_and_counts_the_rest(self, names: str, listed: str) -> None:
        (failure,) = grouped_failures(unreachable(*names))
        assert failure.message == f"{REFUSED} ({listed})"

    def test_a_metric_alone_comes_first_in_its_line(self) -> None:
        (failure,) = grouped_failures(unreachable("a"))
        assert failure.message == f"a: {REFUSED}"
        assert failure.url == "https://api.github.com/repos/a"

    @pytest.mark.parametrize(
        ("urls", "common"),
        [
            (("https://a.example/x?page=1", "https://a.example/y?page=2"), "https://a.example"),
            (("https://a.example/x", "https://b.example/x"), None),
            (("https://a.example/x?page=1", None), "https://a.example"),
            ((None, None), None),
        ],
    )
    def test_metrics_with_different_addresses_have_only_their_origin_in_common(
        self, urls: tuple[str | None, ...], common: str | None
    ) -> None:
        outcomes = [failed("run-1", f"m{number}", "x", url=url) for number, url in enumerate(urls)]
        (failure,) = grouped_failures(outcomes)
        assert failure.url == common

    def test_causes_are_ordered_by_the_number_of_their_metrics(self) -> None:
        outcomes = [failed("run-1", "z", "crates.io returned 503"), *unreachable("a", "b")]
        assert [failure.metric_ids for failure in grouped_failures(outcomes)] == [("a", "b"), ("z",)]

    def test_the_order_of_the_outcomes_does_not_matter(self) -> None:
        outcomes = [*unreachable("b", "a"), failed("run-1", "c", "x"), fetched("run-1", "d")]
        assert grouped_failures(outcomes) == grouped_failures(outcomes[::-1])

    def test_the_summary_fits_its_page(self) -> None:
        outcomes = [failed("run-1", f"m{n}", f"{n} {'x' * 100}") for n in range(100)]
        summary = error_summary(grouped_failures(outcomes)) or ""
        assert len(summary) <= SUMMARY_LIMIT
        assert summary.endswith("\n… and more; see the log")
        assert error_summary([]) is None


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ([], RunStatus.SUCCESS),
        ([fetched("r", "a")], RunStatus.SUCCESS),
        ([fetched("r", "a"), failed("r", "b", "x")], RunStatus.PARTIAL),
        ([failed("r", "a", "x"), failed("r", "b", "x")], RunStatus.FAILED),
    ],
)
def test_a_run_failed_when_every_metric_did(outcomes: list[RunOutcome], status: RunStatus) -> None:
    assert run_status(outcomes) is status


def _failure(message: str) -> Failure:
    return Failure(message, "TransientSourceError", None, ("downloads:a:python",))


@pytest.mark.parametrize(
    ("first", "second", "causes"),
    [("A", "A", 1), ("A", "B", 2), (None, None, 1), (None, "A", 2)],
)
def test_one_message_of_two_error_classes_is_two_causes(
    first: str | None, second: str | None, causes: int
) -> None:
    outcomes = [
        replace(failed("run-1", f"downloads:{number}:python", "gone"), error_class=error_class)
        for number, error_class in enumerate((first, second))
    ]
    found = grouped_failures(outcomes)
    assert len(found) == causes
    assert {failure.error_class for failure in found} == {first or "", second or ""}


def test_a_summary_of_exactly_a_page_is_whole_and_a_longer_one_ends_with_a_whole_line() -> None:
    prefix = _failure("").message
    lines = [prefix + "x" * (99 - len(prefix)) for _ in range(SUMMARY_LIMIT // 100)]
    lines[-1] += "x" * (SUMMARY_LIMIT - len("\n".join(lines)))
    fitting = [_failure(line.removeprefix(prefix)) for line in lines]
    assert error_summary(fitting) == "\n".join(lines)
    longer = _failure(fitting[-1].cause + "x")
    assert error_summary([*fitting[:-1], longer]) == "\n".join([*lines[:-1], "… and more; see the log"])
