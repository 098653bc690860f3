"""`docs/insights.md`, generated from the rules by `python -m tests.support.insight_docs`."""

from __future__ import annotations

from pathlib import Path

from community_metrics.series import alike, comparison, forecast, goals
from community_metrics.series.insights import RULES, Rule

PAGE = Path(__file__).parents[2] / "docs" / "insights.md"
PREFACE = """\
# Insights: what changed, by rules

Generated from the rules by `python -m tests.support.insight_docs`; a test fails when this page is stale.

`community-metrics insights`, the report and `GET /api/v1/insights` say what changed in a week, a month or a
quarter that is over. Every sentence is made by code from numbers that the insight carries as data, with a
path of the API that has them. Nobody's opinion is in a sentence. `importance` is the size of the effect in
the unit that it names, never a per cent: it ranks insights of one unit.

- Only flows and counters have days: a level, a rolling total and wide readings have no spike, dip or shift.
- Neither an estimate nor an incomplete period enters any rule. A missing day creates nothing but \"missing\".
- A series that is ten times as large has the same spikes, dips, shifts, records and round numbers.
- What a rule says is computed anew each time, so a restated value changes or withdraws it.
- A cause says what happened together, not why.

## Rules
"""
OTHERS = """
## Rules of comparisons and goals

A comparison says what happened together, not why, and a forecast what the past
suggests. Neither names a cause.
"""
OTHER_RULES = (comparison.RULE, alike.RULE, goals.RULE, forecast.RULE)


def rendered() -> str:
    """Return the page for the current rules."""
    return PREFACE + "".join(map(_section, RULES)) + OTHERS + "".join(map(_section, OTHER_RULES))


def _section(rule: Rule) -> str:
    kinds = f"{', '.join(f'`{kind}`' for kind in rule.kinds)}."
    lines = ["", f"### `{rule.rule_id}`", "", f"{'Kind' if rule.importance else 'In'}: {kinds}", rule.text]
    if rule.importance:
        lines += ["", f"Importance: {rule.importance}."]
    if rule.parameters:
        lines += ["", "| parameter | value | meaning |", "| --- | --- | --- |"]
        lines += [f"| `{one.name}` | {one.value} | {one.meaning} |" for one in rule.parameters]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(rendered(), encoding="utf-8")
