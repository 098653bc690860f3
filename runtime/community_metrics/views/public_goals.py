"""Which stored digests name a goal that has become the team's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from pydantic import BaseModel, ValidationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from community_metrics.catalog.goals import Goal


_DOWNLOADS: Final = "downloads:"
"""How the ids of the metrics begin that a goal on a product counts."""


class _Line(BaseModel):
    """What a stored digest says of a goal, as far as it identifies the goal."""

    name: str
    product: str
    metric_ids: tuple[str, ...]


class _Content(BaseModel):
    goals: tuple[_Line, ...] = ()


@dataclass(frozen=True, slots=True)
class GoalsByViewer:
    """The goals of the catalogue: those that only the team may see, and those that everybody may."""

    kept: tuple[Goal, ...]
    shown: tuple[Goal, ...]

    @classmethod
    def of(cls, every: Sequence[Goal], shown: Sequence[Goal]) -> Self:
        """Return all goals by who may see them."""
        return cls(tuple(goal for goal in every if goal not in shown), tuple(shown))

    def names_kept(self, content: str) -> bool:
        """Return whether the content of a digest may be about a goal of the team.

        A goal has no id that lasts, and its name and value may change: what counts is what it is about. A
        public goal differs from it by the name that the catalogue gives it. A digest that
        cannot be read may name any.
        """
        try:
            lines = _Content.model_validate_json(content).goals
        except ValidationError:
            return True
        return any(self._is_kept(line) for line in lines)

    def _is_kept(self, line: _Line) -> bool:
        is_shown = any(goal.name == line.name and _is_about(goal, line) for goal in self.shown)
        return not is_shown and any(_is_about(goal, line) for goal in self.kept)


def _is_about(goal: Goal, line: _Line) -> bool:
    if goal.product is None:
        return line.metric_ids == (goal.metric_id,)
    return line.product == goal.product and all(name.startswith(_DOWNLOADS) for name in line.metric_ids)
