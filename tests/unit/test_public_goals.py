"""A digest that names a goal is hidden as soon as the goal is the team's, whatever it was called then."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from community_metrics.catalog.goals import Goal
from community_metrics.model import Visibility
from community_metrics.views.public_goals import GoalsByViewer

STARS, PYTHON, RUST = "stars:lance:github", "downloads:lance:python", "downloads:lance:rust"


def goal(*, kept: bool = False, **fields: Any) -> Goal:
    visibility = Visibility.TEAM if kept else Visibility.PUBLIC
    return Goal.model_validate(
        {"value": 1_000, "date": date(2027, 1, 1), "visibility": visibility.value, **fields}
    )


def content(*metric_ids: str, name: str = "A name of then", product: str = "lance") -> str:
    return json.dumps({"goals": [{"name": name, "product": product, "metric_ids": metric_ids, "rule": "x"}]})


def names_kept(text: str, *goals: Goal) -> bool:
    shown = [one for one in goals if one.visibility is Visibility.PUBLIC]
    return GoalsByViewer.of(goals, shown).names_kept(text)


@pytest.mark.parametrize(
    ("kept", "text", "expected"),
    [
        ({"metric": STARS}, content(STARS), True),
        ({"metric": STARS, "name": "Renamed since"}, content(STARS), True),
        ({"product": "lance"}, content(PYTHON, RUST), True),
        ({"metric": STARS}, content(PYTHON), False),
        ({"metric": PYTHON}, content(PYTHON, RUST), False),
        ({"product": "lance"}, content(STARS), False),
        ({"product": "lance"}, content(PYTHON, product="other"), False),
        ({"metric": STARS}, "{}", False),
        ({"metric": STARS}, '{"goals": [{"name": "of another version"}]}', True),
    ],
)
def test_what_counts_is_what_a_goal_is_about(kept: dict[str, str], text: str, expected: bool) -> None:
    assert names_kept(text, goal(kept=True, **kept)) is expected


def test_the_name_of_a_public_goal_on_the_same_metric_tells_it_apart() -> None:
    goals = goal(kept=True, metric=STARS, name="Ours"), goal(metric=STARS, name="Everybody's")
    assert [names_kept(content(STARS, name=name), *goals) for name in ("Ours", "Everybody's")] == [
        True,
        False,
    ]
