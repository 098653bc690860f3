"""How large the kept answers of one day are, by source: what docs/data.md prints is measured here."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from community_metrics.catalog import load_catalog
from community_metrics.catalog.catalog import PACKAGED_CATALOG
from community_metrics.periods import ONE_DAY, midnight
from community_metrics.runs.registry import DailyRefresh
from community_metrics.storage import LanceDBReader

if TYPE_CHECKING:
    from tests.support.jobs import Rig

PAGE = Path(__file__).parents[2] / "docs" / "data.md"
PRINTED = re.compile(r"^\| `([a-z0-9-]+)` \| (\d+) \| ([\d.]+) kB \| ([\d.]+) MB \|$", re.MULTILINE)
KEPT_DAYS = 400


async def test_the_printed_sizes_are_those_of_a_day_of_the_whole_default_catalogue(
    rig: Rig, tmp_path: Path
) -> None:
    catalog = tmp_path / "catalog.toml"
    catalog.write_text(PACKAGED_CATALOG.read_text(encoding="utf-8").replace("\nactive = false\n", "\n"))
    rig.settings_overrides |= {"catalog": catalog, "github_token": "ghp_a_token_of_the_test"}
    registry = rig.replay.registry
    assert registry is not None
    await rig.run(DailyRefresh())
    rig.now, registry.today = rig.now + ONE_DAY, registry.today + ONE_DAY
    await rig.run(DailyRefresh())
    since = midnight(rig.now.date())
    async with LanceDBReader.open(rig.settings) as reader:
        answers = await reader.answers(since, since + ONE_DAY)
    sizes: Counter[str] = Counter()
    for row in answers:
        sizes[row.source] += len(row.content)
    metrics = Counter(metric.source for metric in load_catalog(catalog).active)
    printed = {
        source: (int(count), float(a_day), float(in_all))
        for source, count, a_day, in_all in PRINTED.findall(PAGE.read_text(encoding="utf-8"))
    }
    measured = {
        source: (metrics[source], size / 1000, size * KEPT_DAYS / 1e6)
        for source, size in sorted(sizes.items())
    }
    table = "\n".join(
        f"| `{source}` | {count} | {a_day:.1f} kB | {in_all:.2f} MB |"
        for source, (count, a_day, in_all) in measured.items()
    )
    assert printed.keys() == measured.keys(), table
    for source, (count, a_day, in_all) in measured.items():
        assert printed[source][0] == count, table
        assert printed[source][1] == pytest.approx(a_day, rel=0.1, abs=0.06), table
        assert printed[source][2] == pytest.approx(in_all, rel=0.1, abs=0.02), table
