"""The catalogue of a demo: the packaged file, and goals with dates that are counted from one day. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from community_metrics.demo.world import AIMS

if TYPE_CHECKING:
    from datetime import date

    from community_metrics.demo.world import Aim

_GOAL: Final = """
[[goal]]
{kind} = "{about}"
name = "{name}"
value = {value}
date = {day}
"""


def catalog_text(packaged: str, today: date) -> str:
    """Return the text of the catalogue with its goals."""
    return packaged + "".join(_goal(aim, today) for aim in AIMS)


def _goal(aim: Aim, today: date) -> str:
    kind, _, about = aim.about.partition(":")
    day = today + timedelta(days=aim.in_days)
    goal = _GOAL.format(kind=kind, about=about, name=aim.name, value=aim.value, day=day)
    return goal if aim.since_ago is None else f"{goal}since = {today - timedelta(days=aim.since_ago)}\n"
