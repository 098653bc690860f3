"""A third party's source, as `docs/sources.md` shows it: installed, found, asked."""

from __future__ import annotations

import os
import random
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from community_metrics.catalog import load_catalog
from community_metrics.clock import SystemClock
from community_metrics.config import load_settings
from community_metrics.errors import CatalogError, ConfigurationError
from community_metrics.model import OutcomeStatus, RunStatus, ValueKind
from community_metrics.runs.registry import WeeklyRefresh
from community_metrics.sources import available_sources
from community_metrics.sources.client.client import RegistryClient
from tests.support.fetching import fetch, fetch_all, values, wanted
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from community_metrics.config import Settings
    from tests.support.jobs import Rig
    from tests.support.replay import Replay

PAGE = (Path(__file__).parents[2] / "docs" / "sources.md").read_text()
MODULE = "community_metrics_rubygems"


def documented(language: str) -> str:
    """Return the first example in `language` on the page."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return found[1]


def catalog_of(folder: Path, *metrics: tuple[str, str, str]) -> Path:
    """Write a catalogue with one metric for each source, subject and window."""
    entries = [
        f'[[metric]]\nid = "downloads:p:{subject}"\nsource = "{source}"\nsubject = "{subject}"\n'
        f'window = "{window}"\ndisplay_name = "{subject}"\n'
        for source, subject, window in metrics
    ]
    path = folder / "catalog.toml"
    path.write_text('[[product]]\nid = "p"\nname = "P"\n' + "".join(entries))
    return path


def install(folder: Path, code: str, entry_points: str) -> None:
    """Lay out a package and its metadata as an installer does."""
    (folder / f"{MODULE}.py").write_text(code)
    metadata = folder / f"{MODULE}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: community-metrics-rubygems\nVersion: 1\n"
    )
    (metadata / "entry_points.txt").write_text(f"[community_metrics.sources]\n{entry_points}\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that packages are installed into."""
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop(MODULE, None)


async def test_the_documented_source_is_found_and_asked(site: Path, replay: Replay) -> None:
    (entry_point,) = re.findall(r'^(rubygems) = "(.*)"$', documented("toml"), re.MULTILINE)
    code = documented("python").replace("https://rubygems.org", replay.origin)
    install(site, code, " = ".join(entry_point))
    replay.script("/api/v1/gems/rails.json", Scripted(body={"name": "rails", "downloads": 42}))
    result = await fetch("rubygems", replay, wanted("rails"), github_token="ghp_x")
    assert list(values(result).values()) == [42]
    assert "authorization" not in replay.requests[0].headers


async def test_what_one_subject_makes_a_source_raise_fails_that_metric_alone(
    site: Path, replay: Replay
) -> None:
    code = documented("python").replace("https://rubygems.org", replay.origin)
    code = code.replace("day = today(parsed.at)", "day = {'rack': today(parsed.at)}[request.subject]")
    install(site, code, f"rubygems = {MODULE}:SOURCE")
    replay.always("/api/v1/gems/*", Scripted(body={"name": "x", "downloads": 42}))
    failed, stored = await fetch_all("rubygems", replay, wanted("rails"), wanted("rack"))
    assert "the source raised KeyError: 'rails'" in str(failed.error)
    assert list(values(stored).values()) == [42]


def plugin_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, **variables: str) -> Settings:
    """Return the settings of an environment with these variables alone."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("CM_")]:
        monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return load_settings()


async def test_a_variable_sends_a_plug_in_to_another_origin(
    site: Path, replay: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(site, documented("python"), f"rubygems = {MODULE}:SOURCE")
    settings = plugin_settings(monkeypatch, site, CM_SOURCE_URL_RUBYGEMS=replay.origin)
    replay.script("/api/v1/gems/rails.json", Scripted(body={"name": "rails", "downloads": 42}))

    rng = random.Random(0)  # noqa: S311  jitter
    async with RegistryClient(settings, SystemClock(), rng) as client:
        results = [r async for r in available_sources()["rubygems"].fetch([wanted("rails")], client)]

    (observation,) = results[0].observations
    assert observation.value == 42
    assert observation.source_ref == "https://rubygems.org/api/v1/gems/rails.json"


def test_a_misspelt_origin_of_a_plug_in_is_refused_with_the_nearest(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(site, documented("python"), f"rubygems = {MODULE}:SOURCE")

    with pytest.raises(ConfigurationError, match="did you mean CM_SOURCE_URL_RUBYGEMS"):
        plugin_settings(monkeypatch, site, CM_SOURCE_URL_RUBYGEM="http://127.0.0.1:1")


def test_a_plug_in_that_cannot_be_imported_hides_no_other_message(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(site, "import no_such_module", f"rubygems = {MODULE}:SOURCE")

    with pytest.raises(ConfigurationError, match="CM_SOURCE_URL_RUBYGEMS: is not a setting"):
        plugin_settings(monkeypatch, site, CM_SOURCE_URL_RUBYGEMS="http://127.0.0.1:1")


@pytest.mark.parametrize(
    ("isolated", "stored"),
    [(True, {"downloads:p:lance", "downloads:p:rack"}), (False, {"downloads:p:lance"})],
    ids=["each", "no each"],
)
async def test_a_source_that_returns_an_invalid_observation_fails_its_own_metrics_alone(
    site: Path, tmp_path: Path, rig: Rig, isolated: bool, stored: set[str]
) -> None:
    code = documented("python").replace("https://rubygems.org", rig.replay.origin)
    code = code.replace("parsed.body.downloads", "parsed.body.downloads if request.subject == 'rack' else -1")
    if not isolated:
        loop = "async for result in each(requests, fetch_one):\n            yield result"
        assert loop in code
        code = code.replace(loop, "for request in requests:\n            yield await fetch_one(request)")
    install(site, code, f"rubygems = {MODULE}:SOURCE")
    for gem in ("rails", "rack"):
        rig.replay.script(f"/api/v1/gems/{gem}.json", Scripted(body={"name": gem, "downloads": 42}))
    rig.settings_overrides["catalog"] = catalog_of(
        tmp_path,
        ("rubygems", "rails", "instant"),
        ("rubygems", "rack", "instant"),
        ("crates", "lance", "1d"),
    )
    report = await rig.run(WeeklyRefresh())
    assert report.run.status is RunStatus.PARTIAL
    assert "rubygems: the source returned an invalid observation" in str(report.run.error_summary)
    assert "value is -1, not an int from 0" in str(report.run.error_summary)
    assert {row.metric_id for row in await rig.stats()} == stored


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ('kind = "counter"', None),
        ('unit = "gems"', None),
        ('kind = "level"', "kind: is 'level', but what rubygems returns here has 'counter'"),
        ('unit = "downloads"', "unit: is 'downloads', but what rubygems returns here has 'gems'"),
    ],
)
def test_kind_and_unit_of_a_metric_are_those_of_its_source(
    site: Path, tmp_path: Path, written: str, fault: str | None
) -> None:
    code = documented("python").replace(
        FETCH, f"    def unit(self, options):\n        return 'gems'\n\n{FETCH}"
    )
    install(site, code, f"rubygems = {MODULE}:SOURCE")
    file = catalog_of(tmp_path, ("rubygems", "rails", "instant"))

    (metric,) = load_catalog(file).metrics
    assert (metric.value_kind, metric.unit) == (ValueKind.COUNTER, "gems")

    file.write_text(file.read_text().replace('window = "instant"', f'window = "instant"\n{written}'))
    if fault is None:
        assert load_catalog(file).metrics == (metric,)
    else:
        with pytest.raises(CatalogError, match=re.escape(fault)):
            load_catalog(file)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "kind = ValueKind.FLOW",
            "its kind is <ValueKind.FLOW: 'flow'>, but values of its window have level",
        ),
        ("kind = ValueKind.COUNTER; unit = print", None),
        ("kind = ValueKind.COUNTER; unit = int", "has no unit for the options {}: TypeError"),
    ],
)
def test_a_source_with_an_impossible_kind_or_unit_is_refused(
    site: Path, tmp_path: Path, code: str, message: str | None
) -> None:
    own = documented("python").replace("kind = ValueKind.COUNTER", code)
    install(site, own, f"rubygems = {MODULE}:SOURCE")
    file = catalog_of(tmp_path, ("rubygems", "rails", "instant"))

    if message is None:
        assert load_catalog(file).metrics[0].unit == "downloads"
    else:
        with pytest.raises(ConfigurationError, match=re.escape(message)):
            load_catalog(file)


FETCH = "    async def fetch(self, requests, client):\n"


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("raise SystemExit(3)", "the source raised SystemExit: 3"),
        ("raise asyncio.CancelledError", "the source raised CancelledError: it cancelled itself"),
        ("raise ValueError(chr(27) + '[2J')", r"the source raised ValueError: \x1b[2J"),
        ("yield 1", "the source raised AttributeError"),
        ("yield FetchResult(requests[0].metric_id, error=ValueError('x'))", "its error is not a SourceError"),
        ("await asyncio.sleep(3600)", "the source returned nothing for 0 minutes and was stopped"),
    ],
)
async def test_a_source_that_exits_or_hangs_fails_its_own_metrics_and_the_others_are_stored(
    site: Path, tmp_path: Path, rig: Rig, line: str, cause: str
) -> None:
    code = documented("python").replace(FETCH, f"{FETCH}        {line}\n")
    install(site, f"import asyncio\n{code}", f"rubygems = {MODULE}:SOURCE")
    rig.settings_overrides["catalog"] = catalog_of(
        tmp_path, ("rubygems", "rails", "instant"), ("crates", "lance", "1d")
    )
    report = await rig.run(WeeklyRefresh(), source_deadline_s=2)
    assert report.run.status is RunStatus.PARTIAL
    assert f"downloads:p:rails: rubygems: {cause}" in str(report.run.error_summary).replace(
        "the source returned an invalid observation, and nothing of this metric was stored: ", ""
    )
    assert {row.metric_id for row in await rig.stats()} == {"downloads:p:lance"}


async def test_a_source_that_does_not_stop_when_it_is_stopped_adds_nothing_later(
    site: Path, tmp_path: Path, rig: Rig
) -> None:
    stubborn = (
        "        try:\n            await asyncio.sleep(3600)\n"
        "        except asyncio.CancelledError:\n            pass\n"
    )
    code = (
        documented("python")
        .replace(FETCH, FETCH + stubborn)
        .replace("https://rubygems.org", rig.replay.origin)
    )
    install(site, f"import asyncio\n{code}", f"rubygems = {MODULE}:SOURCE")
    rig.replay.script("/api/v1/gems/rails.json", Scripted(body={"name": "rails", "downloads": 42}))
    rig.settings_overrides["catalog"] = catalog_of(tmp_path, ("rubygems", "rails", "instant"))
    report = await rig.run(WeeklyRefresh(), source_deadline_s=0.5)
    (outcome,) = report.outcomes
    assert (outcome.status, outcome.error_class) == (OutcomeStatus.FAILED, "TransientSourceError")
    assert await rig.stats() == []


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("raise ValueError('no')", "ValueError: no"),
        ("return None", "TypeError: 'NoneType' object is not iterable"),
    ],
)
def test_a_source_that_fails_while_it_checks_the_catalogue_is_named(
    site: Path, tmp_path: Path, line: str, fault: str
) -> None:
    check = "    def validate(self, subject, options):\n"
    install(
        site, documented("python").replace(check, f"{check}        {line}\n"), f"rubygems = {MODULE}:SOURCE"
    )
    with pytest.raises(CatalogError) as caught:
        load_catalog(catalog_of(tmp_path, ("rubygems", "rails", "instant")))
    assert f"the source 'rubygems' failed when it checked 'rails': {fault}. Fix:" in str(caught.value)


def test_the_built_in_sources_are_there_without_any_plug_in() -> None:
    assert list(available_sources()) == ["pypistats", "npm", "crates", "github", "github-history"]


@pytest.mark.parametrize(
    ("code", "entry_point", "fault"),
    [
        ("SOURCE = 1", "rubygems = {module}:SOURCE", "it lacks name, host, window"),
        ("raise SystemExit(3)", "rubygems = {module}:SOURCE", "it cannot be imported: SystemExit: 3"),
        (
            "class S:\n    def __getattr__(self, name): raise SystemExit(name)\nSOURCE = S()",
            "rubygems = {module}:SOURCE",
            "its attributes cannot be read: SystemExit: name",
        ),
        ("import no_such_module", "rubygems = {module}:SOURCE", "it cannot be imported: ModuleNotFoundError"),
        (documented("python"), "rubygems = {module}:RubyGems", "it is a class"),
        (documented("python"), "gems = {module}:SOURCE", "its name is 'rubygems'"),
        (documented("python"), "npm = {module}:SOURCE", "the name is taken"),
        (documented("python"), "seed = {module}:SOURCE", "the name is taken"),
    ],
)
def test_a_source_that_cannot_be_used_is_named(site: Path, code: str, entry_point: str, fault: str) -> None:
    install(site, code, entry_point.format(module=MODULE))
    with pytest.raises(ConfigurationError) as caught:
        available_sources()
    assert "of community-metrics-rubygems" in str(caught.value)
    assert fault in str(caught.value)
