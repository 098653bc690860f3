"""Which sums would count an event twice: a registry beside a package, a series beside its fallback."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest

from community_metrics.catalog import load_catalog
from community_metrics.errors import NotAlike
from community_metrics.model import REGISTRY_FAMILY
from community_metrics.periods import Grain, period_of
from community_metrics.series.additive import counted_twice, reason_against_sums
from community_metrics.series.points import points
from community_metrics.series.totals import level_total
from community_metrics.views.selection import StoredMetrics
from tests.support.clock import NOON
from tests.support.insights import flow
from tests.support.readings import readings_of

if TYPE_CHECKING:
    from community_metrics.model import MetricDefinition

ALL: Final = flow("registry:pypi:all", metric_family=REGISTRY_FAMILY, display_name="All of PyPI")
SAMPLED: Final = flow("sampled:lance:python", display_name="Sampled")
PYTHON: Final = flow("downloads:lance:python", fallbacks=(SAMPLED.metric_id,), display_name="Lance")
RUST: Final = flow("downloads:lance:rust", "crates", display_name="Lance for Rust")
REGISTRY: Final = (
    "All of PyPI counts every package of its registry: beside it in a sum, each of them would count twice."
)
FALLBACK: Final = "Sampled replaces missing values of Lance, so it counts the same events."


@pytest.mark.parametrize(
    ("metrics", "sentences"),
    [
        ([ALL, PYTHON], (REGISTRY,)),
        ([RUST, ALL], (REGISTRY,)),
        ([PYTHON, SAMPLED], (FALLBACK,)),
        ([SAMPLED, RUST, PYTHON], (FALLBACK,)),
        ([PYTHON, RUST], ()),
        ([RUST, SAMPLED], ()),
        ([ALL], ()),
    ],
)
def test_a_sum_that_would_count_twice_is_explained(
    metrics: list[MetricDefinition], sentences: tuple[str, ...]
) -> None:
    assert counted_twice(metrics) == sentences


@pytest.mark.parametrize("metrics", [[PYTHON, ALL], [SAMPLED, PYTHON]])
def test_every_sum_refuses_to_count_twice(metrics: list[MetricDefinition]) -> None:
    none = readings_of([], [one.metric_id for one in metrics])
    grid = points(metrics, none, [period_of(NOON.date(), Grain.WEEK)], NOON)
    for sum_of in (lambda: grid.complete_totals([0, 1]), lambda: level_total(none, metrics)):
        with pytest.raises(NotAlike, match=re.escape(" ".join(counted_twice(metrics)))):
            sum_of()


def test_the_downloads_of_a_product_never_count_twice() -> None:
    other = flow("downloads:lance:bigquery")
    python = flow("downloads:lance:python", fallbacks=(other.metric_id,))
    stored = StoredMetrics([ALL, python, other, RUST], load_catalog(None))
    assert stored.downloads == {"lance": [python, RUST]}


def test_the_total_of_a_registry_is_added_to_no_other_metric() -> None:
    assert f"All of PyPI {reason_against_sums(ALL)}." == REGISTRY
    assert reason_against_sums(PYTHON) is None
