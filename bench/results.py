"""What a bench hands back, whatever it measures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

TIMES: Final = "×"  # noqa: RUF001  the sign is meant
PART_HEADINGS: Final = ("part", "time", "share")
HEADINGS: Final = ("what", "ours", "yardstick", "ratio", "bound", "held")


@dataclass(frozen=True, slots=True)
class Result:
    """One figure with its bound. `ours` and `yardstick` are in `unit`; smaller is better.

    `ratio` is `ours` over `yardstick`, and what `bound` limits. Without a yardstick (both None) the bound
    is on `ours` itself. Without a bound (None) it only informs. `parts` are what `ours` consists of.
    """

    name: str
    ours: float
    yardstick: float | None
    unit: str
    ratio: float | None
    bound: float | None
    parts: tuple[tuple[str, float], ...] = ()

    @classmethod
    def beside(
        cls, name: str, ours: float, yardstick: float, unit: str, *, parts: tuple[tuple[str, float], ...] = ()
    ) -> Self:
        """Return a figure that is shown beside its yardstick and may be anything."""
        return cls(name, ours, yardstick, unit, ours / yardstick, None, parts)

    @classmethod
    def against(cls, name: str, ours: float, yardstick: float, unit: str, *, bound: float) -> Self:
        """Return a figure that may be at most `bound` times the yardstick."""
        return cls(name, ours, yardstick, unit, ours / yardstick, bound)

    @classmethod
    def at_most(cls, name: str, ours: float, unit: str, *, bound: float) -> Self:
        """Return a figure that may be at most `bound`, in its unit."""
        return cls(name, ours, None, unit, None, bound)

    @property
    def holds(self) -> bool:
        """Say whether the figure is within its bound, if it has one."""
        return self.bound is None or (self.ours if self.ratio is None else self.ratio) <= self.bound

    def cells(self) -> list[str]:
        """Return the figure as a line of a table with the columns `HEADINGS`."""
        return [
            self.name,
            _with_unit(self.ours, self.unit),
            "" if self.yardstick is None else _with_unit(self.yardstick, self.unit),
            "" if self.ratio is None else f"{self.ratio:.2f} {TIMES}",
            *self._verdict(),
        ]

    def part_cells(self) -> list[list[str]]:
        """Return the parts as lines of a table with the columns `PART_HEADINGS`."""
        whole = sum(part for _, part in self.parts)
        return [[name, f"{part:,.1f} {self.unit}", f"{part / whole:.0%}"] for name, part in self.parts]

    def _verdict(self) -> tuple[str, str]:
        if self.bound is None:
            return "", ""
        bound = f"{self.bound:g} {self.unit if self.ratio is None else TIMES}"
        return f"≤ {bound}", "yes" if self.holds else "NO"


def _with_unit(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"
