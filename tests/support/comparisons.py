"""What the rule `alike` says of invented series; `python -m tests.support.comparisons` writes it to `TABLE`.

A page without a server puts the same sentences together from their parts.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from community_metrics.api.comparing import comparable_body, compared_body
from community_metrics.api.schemas.base import Versions
from community_metrics.model import UNIQUES, LevelBreak, SourceWindow, ValueKind
from community_metrics.series.alike import Candidate, alike, parts
from community_metrics.views.compare import Comparable, Compared
from community_metrics.views.runs import Freshness
from tests.support.insights import flow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TABLE: Final = Path(__file__).parents[2] / "frontend" / "src" / "api" / "comparisons.json"
LAST: Final = date(2026, 11, 22)
FRESHNESS: Final = Freshness(datetime(2026, 11, 23, 12, tzinfo=UTC), None, {})
VERSIONS: Final = dict.fromkeys(Versions.model_fields, 1)
_PYTHON: Final = flow("downloads:lance:python", display_name="Lance for Python")
_RUST: Final = flow("downloads:lance:rust", "crates", display_name="Lance for Rust")
_STARS: Final = replace(
    _PYTHON,
    metric_id="stars:lance:github",
    display_name="Lance {stars}",  # a name is no place for a word
    source="github",
    unit="stars",
    value_kind=ValueKind.LEVEL,
    source_window=SourceWindow.INSTANT,
)


def _candidates() -> Iterator[Candidate]:
    """Yield series that differ in each way that the rule knows."""
    first = date(2025, 3, 1)
    yield Candidate(_PYTHON, "", (), first, 1_000)
    yield Candidate(
        replace(_PYTHON, metric_id="downloads:lance:mirrored", display_name="With mirrors"),
        *("mirrors = true", (), date(2025, 2, 1), 155_800),  # 47.5 times less than Rust
    )
    breaks = (LevelBreak(date(2025, 10, 27), "bots are left out"), LevelBreak(date(2026, 6, 1), "moved"))
    yield Candidate(_RUST, "", breaks, first, 7_400_500)
    yield Candidate(
        replace(_RUST, metric_id="downloads:graph:rust", display_name="Graph for Rust"), "", (), None, None
    )
    yield Candidate(
        replace(_RUST, metric_id="downloads:tie:rust", display_name="A tie"), "", (), first, 1_000
    )  # 7,400.5 times less
    pulls = replace(
        _RUST, metric_id="pulls:lance:docker", display_name="Pulls", source="docker", unit="pulls"
    )
    yield Candidate(replace(pulls, value_kind=ValueKind.COUNTER), "", (), first, 90)
    yield Candidate(_STARS, "", (), first, 5_000)
    visitors = replace(_PYTHON, metric_id="visitors:lance:github", display_name="Visitors", unit=UNIQUES)
    yield Candidate(visitors, "", (), first, 0)


def table() -> dict[str, Any]:
    """Return the parts of the series, and what the rule says of every two and of some more of them."""
    candidates = list(_candidates())
    view = Comparable(LAST, parts(candidates), frozenset({_RUST.metric_id}), FRESHNESS)
    body = comparable_body(view, VERSIONS).model_dump(mode="json")
    starts = ("", "2025-06-01", "2025-10-27", "2026-06-01")
    chosen = [*permutations(candidates, 2), *list(permutations(candidates, 4))[::60]]
    return {
        "parts": body,
        "cases": [_case(some, starts[at % len(starts)]) for at, some in enumerate(chosen)],
    }


def _case(candidates: Sequence[Candidate], start: str) -> dict[str, Any]:
    days = [one.first_day for one in candidates if one.first_day]
    first = date.fromisoformat(start) if start else min(days, default=LAST)
    view = Compared(first, LAST, alike(candidates, first, LAST), frozenset(), FRESHNESS)
    body = compared_body(view, VERSIONS).model_dump(mode="json")
    ids = "&".join(f"metric_id={one.metric.metric_id}" for one in candidates)
    said = {name: body[name] for name in ("refused", "axes", "advice", "period_start", "period_end")}
    return {
        "path": f"/compare?{ids}" + (f"&from={start}" if start else ""),
        "metrics": [one["metric_id"] for one in body["metrics"]],
        **said,
    }


def text() -> str:
    """Return the table as the file has it: a line for each case."""
    made = table()
    cases = ",\n".join(json.dumps(one) for one in made["cases"])
    return f'{{\n"parts": {json.dumps(made["parts"], indent=1)},\n"cases": [\n{cases}\n]\n}}\n'


if __name__ == "__main__":
    TABLE.write_text(text(), encoding="utf-8")
