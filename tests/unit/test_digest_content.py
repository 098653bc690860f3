"""What a digest says of a period: its numbers, what it leaves out, what has changed since the last one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from community_metrics.digest.plain import text_of
from community_metrics.model import EventKind, InsightKind, Visibility
from community_metrics.model.digest_content import Digest
from community_metrics.periods import Grain, midnight, period_named
from community_metrics.series.digests import digest_name
from tests.support.digests import METRICS, OTHER, PYTHON, RUST, WEEK, digest_of, steady
from tests.support.events import note, release

if TYPE_CHECKING:
    from community_metrics.model import MetricDefinition
    from community_metrics.model.digest_content import Score
    from community_metrics.periods import Period

LAST = WEEK.end
VALUES = {PYTHON: steady(100, LAST), RUST: steady(50, LAST), OTHER: steady(10, LAST)}
MONTH = period_named("2026-03", Grain.MONTH)
SUNDAY = midnight(LAST) + timedelta(hours=12)


def score(digest: Digest, product: str | None = "p") -> Score:
    return next(one for one in (digest.total, *digest.scores) if one is not None and one.product == product)


def without(day: date, metric_id: str = RUST) -> dict[str, dict[date, int]]:
    own = {known: value for known, value in VALUES[metric_id].items() if known != day}
    return {**VALUES, metric_id: own}


def raised(metric_id: str, period: Period, by: int) -> dict[str, dict[date, int]]:
    own = VALUES[metric_id]
    return {**VALUES, metric_id: own | {period.start: own[period.start] + by}}


def test_a_complete_week_has_values_and_changes() -> None:
    digest = digest_of(raised(PYTHON, WEEK, 105))
    assert (
        digest.first_line
        == "Lance and LanceDB, week 2026-W47 (2026-11-16 to 2026-11-22): complete, 3 of 3 series."
    )
    found = score(digest)
    assert (found.value, found.complete, found.series, found.lacking) == (1155, 2, 2, ())
    assert found.change is not None
    assert (found.change.absolute, found.change.fraction) == (105, 0.1)
    assert found.year_on_year is not None
    assert digest.total is not None
    assert digest.total.value == 1155 + 70
    assert digest.headline is not None
    assert "1,225 downloads in 2026-W47, 105 more (+9.4%) than in 2026-W46" in digest.headline


def test_a_month_is_compared_by_its_daily_mean() -> None:
    assert MONTH is not None
    values = {PYTHON: steady(100, MONTH.end), RUST: steady(50, MONTH.end), OTHER: steady(10, MONTH.end)}
    found = score(digest_of(values, MONTH))
    assert found.value == 31 * 150
    assert found.change is not None
    assert found.change.absolute == 0


@given(st.sampled_from((PYTHON, RUST, OTHER)), st.integers(0, 6))
@settings(max_examples=20, deadline=None)
def test_a_product_that_lacks_a_day_has_no_change_and_the_first_line_says_so(name: str, back: int) -> None:
    digest = digest_of(without(LAST - timedelta(days=back), name))
    assert not digest.is_complete
    assert "is not complete: 2 of 3 series are" in digest.first_line
    lacking = [one for one in (*digest.scores, digest.total) if one and not one.is_complete]
    assert [one.lacking for one in lacking] == [(name,), (name,)]
    assert all(one.change is None and one.year_on_year is None for one in lacking)
    assert digest.headline is None or "without a change" in digest.headline


def test_a_value_of_an_incomplete_period_is_that_of_its_complete_series() -> None:
    found = score(digest_of(without(LAST)))
    assert (found.value, found.complete, found.series) == (700, 1, 2)


def test_a_product_without_a_complete_series_has_no_value() -> None:
    found = score(digest_of(without(LAST, OTHER)), "q")
    assert (found.value, found.complete, found.lacking) == (None, 0, (OTHER,))


def test_a_period_that_goes_on_gives_neither_values_nor_changes_nor_findings() -> None:
    digest = digest_of(VALUES, now=SUNDAY)
    assert digest.first_line.endswith("is not over, so nothing of it is complete and no change is given.")
    assert (digest.is_over, digest.is_complete, digest.headline, digest.findings) == (False, False, None, ())
    assert {(one.value, one.change) for one in (*digest.scores, digest.total) if one} == {(None, None)}


@given(st.permutations(METRICS))
@settings(max_examples=6, deadline=None)
def test_the_order_of_metrics_never_matters(metrics: list[MetricDefinition]) -> None:
    values = raised(OTHER, WEEK, 500)
    assert digest_of(values, metrics=metrics) == digest_of(values)


def test_the_largest_product_comes_first_and_stars_only_last() -> None:
    digest = digest_of({**VALUES, OTHER: steady(1_000, LAST)})
    assert [one.product for one in digest.scores] == ["q", "p"]


def test_a_digest_comes_back_from_its_json_as_it_was() -> None:
    digest = digest_of(VALUES, stated=[release()], notes=[note()])
    assert Digest.model_validate_json(digest.model_dump_json()) == digest


def test_every_sentence_names_a_rule_with_its_version() -> None:
    digest = digest_of(raised(PYTHON, WEEK, 90_000))
    versions = {rule.rule_id: rule.version for rule in digest.rules}
    assert digest.findings
    assert {one.rule for one in digest.findings} <= versions.keys()
    assert all(len(version) == 8 for version in versions.values())


class TestEvents:
    def test_a_cause_by_a_person_is_apart_and_has_its_author(self) -> None:
        digest = digest_of(VALUES, stated=[release()], notes=[note()])
        assert [(one.title, one.author) for one in digest.notes] == [(note().title, note().author)]
        assert [one.kind for one in digest.happenings] == [EventKind.RELEASE]

    def test_a_release_in_several_registries_is_one(self) -> None:
        found = digest_of(
            VALUES,
            stated=[release("pypi:p@1", origin="pypi:p"), release("crates:p@1", origin="crates:p")],
        ).happenings
        assert [(one.places, one.titles) for one in found] == [(2, (release().title,))]


class TestSinceLast:
    BEFORE = WEEK.shifted(-1)

    def test_a_value_that_a_source_changed_is_told_with_what_was_said(self) -> None:
        previous = digest_of(VALUES, self.BEFORE)
        since = digest_of(raised(PYTHON, self.BEFORE, 12), previous=previous).since_last
        assert since is not None
        assert [(one.said, one.now) for one in since.corrections] == [(700, 712)]
        assert since.corrections[0].sentence == (
            f"Last week we said 700 downloads ({METRICS[0].display_name}, 2026-W46); pypistats now says 712."
        )

    def test_a_series_that_was_not_complete_then_is_told_without_a_difference(self) -> None:
        previous = digest_of(without(self.BEFORE.end), self.BEFORE)
        since = digest_of(VALUES, previous=previous).since_last
        assert since is not None
        assert [(one.said, one.now) for one in since.corrections] == [(None, 350)]
        assert "is complete now: 350 downloads" in since.corrections[0].sentence

    def test_a_milestone_that_is_no_longer_passed_is_told(self) -> None:
        begun = {**VALUES, PYTHON: steady(100, LAST, 17)}
        previous = digest_of(begun, self.BEFORE)
        passed = [one for one in previous.findings if one.kind is InsightKind.MILESTONE]
        assert [(one.metric_ids, one.numbers["mark"]) for one in passed] == [((PYTHON,), 1_000)]
        lowered = {**begun, PYTHON: begun[PYTHON] | {self.BEFORE.end: 99}}
        since = digest_of(lowered, previous=previous).since_last
        assert since is not None
        assert [(one.mark, one.said, one.now) for one in since.corrections] == [
            (1_000, 1_000, 999),
            (None, 700, 699),
        ]
        assert since.corrections[0].sentence == (
            f"Last week we said that {METRICS[0].display_name} passed 1,000 downloads; that no longer holds: "
            "pypistats now says 999 at the end of 2026-W46."
        )

    @pytest.mark.parametrize("value", [None, 100, 200])
    def test_a_milestone_that_still_holds_or_cannot_be_checked_is_not_corrected(
        self, value: int | None
    ) -> None:
        begun = {**VALUES, PYTHON: steady(100, LAST, 17)}
        previous = digest_of(begun, self.BEFORE)
        days = begun[PYTHON] | {self.BEFORE.end: value}
        now = {**begun, PYTHON: {day: known for day, known in days.items() if known is not None}}
        since = digest_of(now, previous=previous).since_last
        assert since is not None
        assert [one for one in since.corrections if one.mark is not None] == []

    def test_an_older_digest_is_named_by_its_period(self) -> None:
        previous = digest_of(VALUES, WEEK.shifted(-2))
        since = digest_of(raised(PYTHON, WEEK.shifted(-2), 1), previous=previous).since_last
        assert since is not None
        assert since.corrections[0].sentence.startswith("In the digest of 2026-W45 we said 700")

    def test_nothing_is_told_where_nothing_changed(self) -> None:
        since = digest_of(VALUES, previous=digest_of(VALUES, self.BEFORE)).since_last
        assert since is not None
        assert (since.digest_id, since.corrections, since.rules) == ("2026-W46", (), ())

    def test_values_that_nothing_can_be_compared_with_are_counted(self) -> None:
        gone = [replace(metric, metric_id=f"{metric.metric_id}-gone") for metric in METRICS[:1]]
        values = {gone[0].metric_id: VALUES[PYTHON], **VALUES}
        previous = digest_of(values, self.BEFORE, metrics=[*gone, *METRICS])
        digest = digest_of(VALUES, previous=previous)
        assert digest.since_last is not None
        assert (digest.since_last.corrections, digest.since_last.unchecked) == ((), 1)
        said = "1 value of the digest of 2026-W46 can no longer be compared; no other has changed."
        assert said in " ".join(text_of(digest).split())

    def test_a_rule_that_changed_is_named(self) -> None:
        previous = digest_of(VALUES, self.BEFORE)
        old = [rule.model_copy(update={"version": "00000000"}) for rule in previous.rules]
        since = digest_of(VALUES, previous=previous.model_copy(update={"rules": tuple(old)})).since_last
        assert since is not None
        assert "total-of-period" in since.rules


@pytest.mark.parametrize(
    ("products", "visibility", "edition", "expected"),
    [
        ((), Visibility.PUBLIC, 1, "2026-W47"),
        ((), Visibility.TEAM, 1, "2026-W47-team"),
        ((), Visibility.PUBLIC, 2, "2026-W47-e2"),
    ],
)
def test_the_name_of_a_digest_says_its_period_viewers_and_edition(
    products: tuple[str, ...], visibility: Visibility, edition: int, expected: str
) -> None:
    assert digest_name(WEEK, products, visibility, edition) == expected


def test_the_order_of_products_does_not_change_the_name() -> None:
    names = {digest_name(WEEK, order, Visibility.PUBLIC) for order in (("a", "b"), ("b", "a"))}
    assert len(names) == 1
    assert digest_name(WEEK, ("a",), Visibility.PUBLIC) not in names


def test_days_that_a_registry_did_not_count_are_not_known_and_no_finding() -> None:
    both = {PYTHON: without(LAST, PYTHON)[PYTHON], OTHER: without(LAST, OTHER)[OTHER], RUST: VALUES[RUST]}
    later = {name: own | {LAST + timedelta(days=3): 100} for name, own in both.items()}
    digest = digest_of(later, now=midnight(LAST + timedelta(days=5)))
    assert any("a gap of the registry, not a change of ours" in one.text for one in digest.unknown)
    assert not [one for one in digest.findings if "registry" in one.sentence]


def test_series_that_failed_for_long_are_named_and_not_in_the_sum() -> None:
    values = {**VALUES, RUST: steady(50, LAST - timedelta(days=40))}
    digest = digest_of(values)
    found = score(digest)
    assert (found.value, found.series, found.left_out, found.is_complete) == (700, 1, (RUST,), True)
    assert any("failed for more than two weeks" in one.text for one in digest.unknown)
