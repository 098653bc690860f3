"""`docs/report.svg`, the picture of `report` in the docs: `python -m tests.support.picture` draws it.

The numbers are those of `community-metrics demo` on one day; the output is that of the real program.
"""

from __future__ import annotations

import asyncio
import io
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from community_metrics.catalog import load_catalog
from community_metrics.cli.render import style
from community_metrics.cli.render.brief import render_brief
from community_metrics.demo.database import fill, temporary_settings
from community_metrics.storage import LanceDBReader
from community_metrics.views.brief import load_brief

PICTURE: Final = Path(__file__).parents[2] / "docs" / "report.svg"
TITLE: Final = "community-metrics report (sample data)"
FONTS: Final = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
"""Fonts of the reader's machine; the picture downloads none."""
WIDTH: Final = 110
MONDAY: Final = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
SEED: Final = 1


async def _drawn() -> str:
    with temporary_settings(MONDAY.date()) as settings:
        await fill(settings, SEED, MONDAY)
        async with LanceDBReader.open(settings) as reader:
            brief = await load_brief(reader, load_catalog(settings.catalog), MONDAY, weeks=12)
    console = style.PlainConsole(
        width=WIDTH, record=True, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    console.print(render_brief(brief, style.glyphs_of(console), WIDTH))
    svg = console.export_svg(title=TITLE, unique_id="report")
    return re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL).replace("Fira Code, monospace", FONTS)


if __name__ == "__main__":
    PICTURE.write_text(asyncio.run(_drawn()))
