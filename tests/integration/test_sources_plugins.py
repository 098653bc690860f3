"""A third party's source, as `docs/sources.md` shows it: installed, found, asked."""

from __future__ import annotations

import os
import random
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from community_metrics.catalog import load_catalog
from community_metrics.cli import doctor
from community_metrics.clock import SystemClock
from community_metrics.config import load_settings
from community_metrics.errors import CatalogError, ConfigurationError
from community_metrics.model import OutcomeStatus, RunStatus, ValueKind, Visibility
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
MODULE = "community_metrics_hex"


def package(name: str) -> dict[str, object]:
    """Return the registry's response for a package."""
    return {"name": name, "downloads": {"all": 42, "week": 2}}


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
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: community-metrics-hex\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(f"[community_metrics.sources]\n{entry_points}\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that packages are installed into."""
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop(MODULE, None)


async def test_the_documented_source_is_found_and_asked(site: Path, replay: Replay) -> None:
    (entry_point,) = re.findall(r'^(hex) = "(.*)"$', documented("toml"), re.MULTILINE)
    code = documented("python").replace("https://hex.pm", replay.origin)
    install(site, code, " = ".join(entry_point))
    replay.script("/api/packages/phoenix", Scripted(body=package("phoenix")))
    result = await fetch("hex", replay, wanted("phoenix"), github_token="ghp_x")
    assert list(values(result).values()) == [42]
    assert "authorization" not in replay.requests[0].headers


async def test_what_one_subject_makes_a_source_raise_fails_that_metric_alone(
    site: Path, replay: Replay
) -> None:
    code = documented("python").replace("https://hex.pm", replay.origin)
    code = code.replace("day = today(parsed.at)", "day = {'plug': today(parsed.at)}[request.subject]")
    install(site, code, f"hex = {MODULE}:SOURCE")
    replay.always("/api/packages/*", Scripted(body=package("x")))
    failed, stored = await fetch_all("hex", replay, wanted("phoenix"), wanted("plug"))
    assert "the source raised KeyError: 'phoenix'" in str(failed.error)
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
    install(site, documented("python"), f"hex = {MODULE}:SOURCE")
    settings = plugin_settings(monkeypatch, site, CM_SOURCE_URL_HEX=replay.origin)
    replay.script("/api/packages/phoenix", Scripted(body=package("phoenix")))

    rng = random.Random(0)  # noqa: S311  jitter
    async with RegistryClient(settings, SystemClock(), rng) as client:
        results = [r async for r in available_sources()["hex"].fetch([wanted("phoenix")], client)]

    (observation,) = results[0].observations
    assert observation.value == 42
    assert observation.source_ref == "https://hex.pm/api/packages/phoenix"


def test_a_misspelt_origin_of_a_plug_in_is_refused_with_the_nearest(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(site, documented("python"), f"hex = {MODULE}:SOURCE")

    with pytest.raises(ConfigurationError, match="did you mean CM_SOURCE_URL_HEX"):
        plugin_settings(monkeypatch, site, CM_SOURCE_URL_HEXX="http://127.0.0.1:1")


def test_a_plug_in_that_cannot_be_imported_hides_no_other_message(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(site, "import no_such_module", f"hex = {MODULE}:SOURCE")

    with pytest.raises(ConfigurationError, match="CM_SOURCE_URL_HEX: is not a setting"):
        plugin_settings(monkeypatch, site, CM_SOURCE_URL_HEX="http://127.0.0.1:1")


@pytest.mark.parametrize(
    ("isolated", "stored"),
    [(True, {"downloads:p:lance", "downloads:p:plug"}), (False, {"downloads:p:lance"})],
    ids=["each", "no each"],
)
async def test_a_source_that_returns_an_invalid_observation_fails_its_own_metrics_alone(
    site: Path, tmp_path: Path, rig: Rig, isolated: bool, stored: set[str]
) -> None:
    code = documented("python").replace("https://hex.pm", rig.replay.origin)
    code = code.replace(
        "parsed.body.downloads.all", "parsed.body.downloads.all if request.subject == 'plug' else -1"
    )
    if not isolated:
        loop = "async for result in each(requests, fetch_one):\n            yield result"
        assert loop in code
        code = code.replace(loop, "for request in requests:\n            yield await fetch_one(request)")
    install(site, code, f"hex = {MODULE}:SOURCE")
    for name in ("phoenix", "plug"):
        rig.replay.script(f"/api/packages/{name}", Scripted(body=package(name)))
    rig.settings_overrides["catalog"] = catalog_of(
        tmp_path,
        ("hex", "phoenix", "instant"),
        ("hex", "plug", "instant"),
        ("crates", "lance", "1d"),
    )
    report = await rig.run(WeeklyRefresh())
    assert report.run.status is RunStatus.PARTIAL
    assert "hex: the source returned an invalid observation" in str(report.run.error_summary)
    assert "value is -1, not an int from 0" in str(report.run.error_summary)
    assert {row.metric_id for row in await rig.stats()} == stored


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ('kind = "counter"', None),
        ('unit = "packages"', None),
        ('kind = "level"', "kind: is 'level', but what hex returns here has 'counter'"),
        ('unit = "downloads"', "unit: is 'downloads', but what hex returns here has 'packages'"),
    ],
)
def test_kind_and_unit_of_a_metric_are_those_of_its_source(
    site: Path, tmp_path: Path, written: str, fault: str | None
) -> None:
    code = documented("python").replace(
        FETCH, f"    def unit(self, options):\n        return 'packages'\n\n{FETCH}"
    )
    install(site, code, f"hex = {MODULE}:SOURCE")
    file = catalog_of(tmp_path, ("hex", "phoenix", "instant"))

    (metric,) = load_catalog(file).metrics
    assert (metric.value_kind, metric.unit) == (ValueKind.COUNTER, "packages")

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
    install(site, own, f"hex = {MODULE}:SOURCE")
    file = catalog_of(tmp_path, ("hex", "phoenix", "instant"))

    if message is None:
        assert load_catalog(file).metrics[0].unit == "downloads"
    else:
        with pytest.raises(ConfigurationError, match=re.escape(message)):
            load_catalog(file)


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("", None),
        ('visibility = "team"', None),
        ('visibility = "public"', "visibility: is 'public', but hex returns what only the team may see"),
    ],
)
def test_an_entry_does_not_show_everybody_what_its_source_keeps_for_the_team(
    site: Path, tmp_path: Path, written: str, fault: str | None
) -> None:
    code = documented("python").replace("SourceWindow, ValueKind", "SourceWindow, ValueKind, Visibility")
    code = code.replace("    kind = ", "    visibility = Visibility.TEAM\n    kind = ")
    install(site, code, f"hex = {MODULE}:SOURCE")
    file = catalog_of(tmp_path, ("hex", "phoenix", "instant"))
    file.write_text(f"{file.read_text()}{written}\n")

    if fault is None:
        (metric,) = load_catalog(file).metrics
        assert metric.definition(datetime.now(UTC)).visibility is Visibility.TEAM
    else:
        with pytest.raises(CatalogError, match=re.escape(fault)):
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
    install(site, f"import asyncio\n{code}", f"hex = {MODULE}:SOURCE")
    rig.settings_overrides["catalog"] = catalog_of(
        tmp_path, ("hex", "phoenix", "instant"), ("crates", "lance", "1d")
    )
    report = await rig.run(WeeklyRefresh(), source_deadline_s=2)
    assert report.run.status is RunStatus.PARTIAL
    assert f"downloads:p:phoenix: hex: {cause}" in str(report.run.error_summary).replace(
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
    code = documented("python").replace(FETCH, FETCH + stubborn).replace("https://hex.pm", rig.replay.origin)
    install(site, f"import asyncio\n{code}", f"hex = {MODULE}:SOURCE")
    rig.replay.script("/api/packages/phoenix", Scripted(body=package("phoenix")))
    rig.settings_overrides["catalog"] = catalog_of(tmp_path, ("hex", "phoenix", "instant"))
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
    install(site, documented("python").replace(check, f"{check}        {line}\n"), f"hex = {MODULE}:SOURCE")
    with pytest.raises(CatalogError) as caught:
        load_catalog(catalog_of(tmp_path, ("hex", "phoenix", "instant")))
    assert f"the source 'hex' failed when it checked 'phoenix': {fault}. Fix:" in str(caught.value)


def test_doctor_asks_the_host_of_every_built_in_source() -> None:
    assert {source.host for source in available_sources().values()} == doctor._PROBES.keys()


def test_the_built_in_sources_are_there_without_any_plug_in() -> None:
    assert set(available_sources()) == {
        "pypistats",
        "npm",
        "crates",
        "crates-archive",
        "github",
        "github-history",
        "github-repo",
        "github-releases",
        "github-traffic",
        "github-referrers",
        "github-paths",
        "docker",
        "huggingface",
        "huggingface-likes",
        "duckdb-extensions",
        "conda",
        "homebrew",
        "homebrew-90d",
        "homebrew-365d",
        "rubygems",
        "nuget",
        "packagist",
        "packagist-30d",
        "open-vsx",
    }


@pytest.mark.parametrize(
    ("code", "entry_point", "fault"),
    [
        ("SOURCE = 1", "hex = {module}:SOURCE", "it lacks name, host, window"),
        ("raise SystemExit(3)", "hex = {module}:SOURCE", "it cannot be imported: SystemExit: 3"),
        (
            "class S:\n    def __getattr__(self, name): raise SystemExit(name)\nSOURCE = S()",
            "hex = {module}:SOURCE",
            "its attributes cannot be read: SystemExit: name",
        ),
        ("import no_such_module", "hex = {module}:SOURCE", "it cannot be imported: ModuleNotFoundError"),
        (documented("python"), "hex = {module}:Hex", "it is a class"),
        (documented("python"), "elixir = {module}:SOURCE", "its name is 'hex'"),
        (documented("python"), "npm = {module}:SOURCE", "the name is taken"),
        (documented("python"), "seed = {module}:SOURCE", "the name is taken"),
    ],
)
def test_a_source_that_cannot_be_used_is_named(site: Path, code: str, entry_point: str, fault: str) -> None:
    install(site, code, entry_point.format(module=MODULE))
    with pytest.raises(ConfigurationError) as caught:
        available_sources()
    assert "of community-metrics-hex" in str(caught.value)
    assert fault in str(caught.value)
