"""The marks of one line: what is known is joined, what is missing is a gap, and each kind has its own shape.

Shapes of one kind are one path, so that a picture of many points stays small.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from community_metrics.charts.drawing import Mark

if TYPE_CHECKING:
    from collections.abc import Sequence

    Place = tuple[float, float | None, Mark]
    """Where a dot is in pixels, None without a value, and its kind."""

_JOINED: Final = {Mark.MEASURED, Mark.PROVISIONAL, Mark.ESTIMATED}
"""A value with days missing is joined to nothing: the line would show a fall that nobody measured."""


def number(value: float) -> str:
    """Return a coordinate with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")


def marks_of(dots: Sequence[Place], colour: str, *, top: float, bottom: float, scope: str = "") -> list[str]:
    """Return the paths of a line in the colour of a class, between the two edges of the plot.

    `scope` begins their ids, so that a page may have several pictures.
    """
    known = [is_joined(dot) for dot in dots]
    alone = [
        at
        for at, is_known in enumerate(known)
        if is_known and not any(known[max(0, at - 1) : at] + known[at + 1 : at + 2])
    ]
    paths = {
        "": _lines(dots, known, dashed=False),
        "d": _lines(dots, known, dashed=True),
        "i": "".join(_at(dots[at], "h0") for at in alone if dots[at][2] is not Mark.ESTIMATED),
        "o": "".join(_at(dots[at], "m-3.5 0l3.5-3.5 3.5 3.5-3.5 3.5z") for at in _diamonds(dots, known)),
        "x": "".join(_at(dot, "l6 6m0-6-6 6", by=-3) for dot in dots if dot[2] is Mark.INCOMPLETE),
        "r": "".join(
            f"M{number(x)} {number(top)}V{number(bottom)}" for x, _, mark in dots if mark is Mark.RESET
        ),
    }
    shapes = [
        f'<path class="{f"{colour} {kind}".strip()}" d="{path}"/>' for kind, path in paths.items() if path
    ]
    return [*shapes, *_rings(dots, colour, scope)]


def _rings(dots: Sequence[Place], colour: str, scope: str) -> list[str]:
    """Return a ring for each value that may still change: one shape, drawn in two colours."""
    places = [(x, y) for x, y, mark in dots if mark is Mark.PROVISIONAL and y is not None]
    return _twice(places, f"{scope}{colour}h", (f"{colour} h", "c"))


def restated_rings(places: Sequence[tuple[float, float]], scope: str) -> list[str]:
    """Return a wide ring for each restated value; the lines are drawn over them. `scope` begins their id."""
    return _twice(places, f"{scope}q", ("q", "p"))


def _twice(places: Sequence[tuple[float, float]], name: str, classes: tuple[str, str]) -> list[str]:
    """Return points as one shape, each a step from the one before, which is shorter than its place."""
    if not places:
        return []
    tenths = [(0, 0), *((round(10 * x), round(10 * y)) for x, y in places)]
    steps = [f"m{number((x - x0) / 10)} {number((y - y0) / 10)}h0" for (x0, y0), (x, y) in pairwise(tenths)]
    shape = f'<defs><path id="{name}" d="{"".join(steps).replace(" -", "-")}"/></defs>'
    return [shape, *(f'<use href="#{name}" class="{one}"/>' for one in classes)]


def is_joined(dot: Place) -> bool:
    """Return whether a line goes through a dot."""
    return dot[1] is not None and dot[2] in _JOINED


def _lines(dots: Sequence[Place], known: Sequence[bool], *, dashed: bool) -> str:
    """Return the stretches between neighbours that are estimated on an end, or those that are not."""
    path, end = [], -1
    for (at, one), (after, other) in pairwise(enumerate(dots)):
        is_dashed = Mark.ESTIMATED in {one[2], other[2]}
        if not (known[at] and known[after]) or is_dashed is not dashed:
            continue
        path.append("" if end == at else f"M{_place(one)}L")
        path.append(f"{' ' if end == at else ''}{_place(other)}")
        end = after
    return "".join(path)


def _diamonds(dots: Sequence[Place], known: Sequence[bool]) -> list[int]:
    """Return the estimates that a dashed line would not show: those in a stretch of at most two dots."""
    found, run = [], []
    for at in range(len(dots) + 1):
        if at < len(dots) and known[at] and dots[at][2] is Mark.ESTIMATED:
            run.append(at)
            continue
        found += run if len(run) <= 2 else []  # noqa: PLR2004  as the docstring says
        run = []
    return found


def _at(dot: Place, shape: str, by: float = 0) -> str:
    """Return a shape at a dot, moved by some pixels in both directions."""
    x, y, mark = dot
    return "" if y is None else f"M{_place((x + by, y + by, mark))}{shape}"


def _place(dot: Place) -> str:
    x, y, _ = dot
    return f"{number(x)} {number(y or 0.0)}"
