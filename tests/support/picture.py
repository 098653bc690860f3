"""`docs/report.svg`, the picture in the README: `python -m tests.support.picture` draws it.

The registries behind it are invented, and the title says so; the output is that of the real program.
"""

from __future__ import annotations

import asyncio
import io
import re
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from community_metrics.catalog import load_catalog
from community_metrics.cli.render import style
from community_metrics.cli.render.report import render_report
from community_metrics.runs.registry import WeeklyRefresh
from community_metrics.storage import LanceDBReader
from community_metrics.views.report import load_report
from tests.support.jobs import Rig
from tests.support.registry import CRATES, NPM, PYPI, Registry
from tests.support.replay import Replay

PICTURE: Final = Path(__file__).parents[2] / "docs" / "report.svg"
TITLE: Final = "community-metrics report (the numbers are made up)"
FONTS: Final = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
"""Fonts of the reader's machine; the picture downloads none."""
WIDTH: Final = 100
MONDAY: Final = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
WEEKS: Final = 12
GROWTH: Final = {
    (PYPI, "pylance"): 0.04,
    (PYPI, "lancedb"): 0.03,
    (NPM, "@lancedb/lancedb"): -0.02,
    (CRATES, "lance"): 0.06,
    (CRATES, "lancedb"): 0.01,
}
"""Growth of a package in a week, so that the picture has a trend."""
LOST: Final = (date(2026, 10, 13), date(2026, 10, 14))
"""Days that npm never published: two missing days in one week."""


class GrowingRegistry(Registry):
    """Made-up registries whose packages grow or shrink from week to week."""

    def value(self, source: str, subject: str, day: date) -> int | None:
        """Return the made-up value, bent by the package's growth."""
        value = super().value(source, subject, day)
        weeks = (day - self.first_day).days / 7
        return None if value is None else round(value * (1 + GROWTH.get((source, subject), 0.0)) ** weeks)


async def _filled(rig: Rig, registry: Registry) -> None:
    for week in range(WEEKS, -1, -1):
        rig.now = MONDAY - timedelta(weeks=week)
        registry.today = rig.now.date()
        await rig.run(WeeklyRefresh())


async def _drawn(rig: Rig) -> str:
    async with LanceDBReader.open(rig.settings) as reader:
        report = await load_report(reader, load_catalog(None), MONDAY, weeks=WEEKS)
    console = style.PlainConsole(
        width=WIDTH, record=True, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    console.print(render_report(report, style.glyphs_of(console), WIDTH))
    svg = console.export_svg(title=TITLE, unique_id="report")
    return re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL).replace("Fira Code, monospace", FONTS)


async def _main() -> None:
    registry = GrowingRegistry(MONDAY.date(), first_day=date(2026, 5, 1))
    registry.overrides = {
        (NPM, name, day): None for name in ("@lancedb/lancedb", "registry total") for day in LOST
    }
    with tempfile.TemporaryDirectory() as folder, Replay(registry) as replay:
        rig = Rig(replay, Path(folder) / "metrics.lancedb")
        await _filled(rig, registry)
        PICTURE.write_text(await _drawn(rig))


if __name__ == "__main__":
    asyncio.run(_main())
