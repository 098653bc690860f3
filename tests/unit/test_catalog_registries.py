"""Which totals of registries a catalogue has, without naming any."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from community_metrics.catalog.entries import Cadence
from community_metrics.errors import ConfigurationError
from community_metrics.model import SourceWindow, ValueKind, Visibility
from community_metrics.sources import RegistrySeries
from community_metrics.sources.base import EVERYTHING, registry_of
from community_metrics.sources.npm import Npm
from tests.unit.test_catalog import BORN, entry, faults, loaded

if TYPE_CHECKING:
    from pathlib import Path

NPM = {"id": '"downloads:ruff:nodejs"', "source": '"npm"', "subject": '"ruff"'}
MIRRORED = {"id": '"downloads:ruff:python"', "subject": '"ruff"', "options": "{ mirrors = true }"}


def test_a_catalogue_has_the_totals_of_the_registries_that_its_metrics_come_from(tmp_path: Path) -> None:
    catalog = loaded(tmp_path, entry(), entry(**NPM))
    assert [total.metric_id for total in catalog.registries] == ["registry:npm:all", "registry:pypi:all"]
    assert catalog.registry_ids == {
        "downloads:httpx:python": "registry:pypi:all",
        "downloads:ruff:nodejs": "registry:npm:all",
    }
    assert {total.metric_id for total in catalog.registries}.isdisjoint(
        one.metric_id for one in catalog.metrics
    )


def test_a_metric_that_is_off_needs_no_total(tmp_path: Path) -> None:
    catalog = loaded(tmp_path, entry(), entry(**NPM, active="false"))
    assert [total.metric_id for total in catalog.registries] == ["registry:pypi:all"]


def test_a_metric_is_compared_with_the_total_that_counts_mirrors_as_it_does(tmp_path: Path) -> None:
    catalog = loaded(tmp_path, entry(), entry(**MIRRORED))
    assert catalog.registry_ids["downloads:httpx:python"] == "registry:pypi:all"
    assert catalog.registry_ids["downloads:ruff:python"] == "registry:pypi:all-with-mirrors"
    assert catalog.registries[1].options == {"mirrors": True}


def test_a_total_is_a_daily_flow_of_downloads_and_says_what_it_is(tmp_path: Path) -> None:
    (total,) = (one.definition(BORN) for one in loaded(tmp_path, entry()).registries)
    assert (total.metric_family, total.product, total.subject, total.unit) == (
        "registry",
        "pypi",
        EVERYTHING,
        "downloads",
    )
    assert (total.value_kind, total.source_window) == (ValueKind.FLOW, SourceWindow.DAY)
    assert total.display_name == "PyPI, all packages (without known mirrors)"
    assert total.is_registry


@pytest.mark.parametrize(
    ("first", "second", "seen"),
    [("team", "team", Visibility.TEAM), ("team", "public", Visibility.PUBLIC)],
)
def test_a_total_is_public_unless_only_the_team_counts_at_its_registry(
    first: str, second: str, seen: Visibility, tmp_path: Path
) -> None:
    other = {"id": '"downloads:ruff:python"', "subject": '"ruff"'}
    catalog = loaded(tmp_path, entry(visibility=f'"{first}"'), entry(**other, visibility=f'"{second}"'))
    assert [total.visibility for total in catalog.registries] == [seen]


def test_a_total_is_read_daily_where_one_of_its_metrics_is(tmp_path: Path) -> None:
    daily = loaded(tmp_path, entry(cadence='"daily"'), entry(**NPM))
    assert {total.metric_id: total.cadence for total in daily.registries} == {
        "registry:npm:all": None,
        "registry:pypi:all": Cadence.DAILY,
    }


def test_the_family_of_totals_is_taken(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, entry(id='"registry:httpx:all"'))
    assert "the family 'registry' is for the totals of registries, which need no entry" in fault


def test_the_archive_of_crates_cannot_be_added(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, entry(source='"crates-archive"'))
    assert "cannot be added: the total of crates.io is stored wherever a crate is tracked" in fault


def test_a_plug_in_whose_total_is_none_is_one_error_with_its_fix() -> None:
    class Broken(Npm):
        def registry(self, _options: object) -> RegistrySeries:
            return RegistrySeries("downloads:npm:all", "npm", "npm")

    with pytest.raises(ConfigurationError, match="no usable total of its registry: its id is 'downloads:npm"):
        registry_of(Broken(), {})
