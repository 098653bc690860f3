"""`docs/cli.md`, generated from the program by `python -m tests.support.cli_docs`; a test compares it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args, get_origin

import typer
from pydantic import BaseModel

from community_metrics.api.schemas.status import RunRecord
from community_metrics.cli import schemas
from community_metrics.cli.main import app
from community_metrics.runs.registry import JOBS

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"
WIDTH = 100
PREFACE = """\
# The command line

Generated from the program by `python -m tests.support.cli_docs`; a test fails when this page is stale.

Every job is also a module with the same options, `python -m community_metrics.jobs.NAME`:
{jobs}.

| exit code | meaning |
| --- | --- |
| 0 | success, or a partial run |
| 1 | failed; `doctor`: there is a problem |
| 2 | usage or configuration |
| 3 | a partial run under `--strict` |
| 75 | another run holds the database |

On a terminal a job shows a bar for each source. Elsewhere it logs one line of JSON for each event to standard
error (`CM_LOG_FORMAT=console` for plain lines), and standard output holds only the result. Colour follows
`NO_COLOR`, and is never the only difference.

## Reading the report

`report` shows the newest week in which a series is complete: the headline, at most four insights, the same
ones as the first screen of the page, and one line for each product, sorted by size: its value, its changes
on the week, on four weeks and on the year, its stars with their change as a number, and 52 weeks from zero.
A value of another week has that week before it. Where there is little room names are shortened first, then
columns are left out from the right; no number is ever cut. `--width` sets the columns, also where the
output is no terminal. `--markdown` prints the same for an issue on GitHub or a message in Slack.

`--full` shows every metric. Every number is the same as on the weekly dashboard. A row shows the last
complete ISO week: the week is over, and all seven days are present. `≈` marks an estimate from a wider
window, `▫` a week with days missing, `·` a week without data. Change is against the week before, for stars
as a number, and is left out if either week is incomplete. The weeks end with the newest data; `--weeks`
sets how many are shown, and changes no number. On a terminal without Unicode the bars are `1` to `8`,
estimates `a` to `d` and `~`, missing days `?`, no data `.`. Above the tables are the insights of the last
week, those of the whole catalogue, by the rules of [insights.md](insights.md); `!` marks what is unusual.
Below them are the goals of the catalogue, if it has any.

## JSON

`--json` prints one object with stable fields; new ones may be added. A command that has a route prints the
body of that route, field by field, as [api.md](api.md) and the OpenAPI file describe it. Instants are
ISO-8601 in UTC and end in `Z`, days are `2026-11-22`, unknown values are `null`.

| command | prints |
| --- | --- |
| `report` | the body of `/dashboard/weekly`; its weeks end with the newest data, as in the report |
| `status` | the body of `/status` |
| `history` | the body of `/history` |
| `insights` | the body of `/insights` |
| `before-after` | the body of `/before-after` |
| `goals` | the body of `/goals` |
JSON_ROWS

`plan` is `null` without `--dry-run`.

## Commands
"""
JSON = {
    "`seed`, `import`, `refresh`, `refresh-daily`, `update-all`, `bootstrap`": schemas.JobRun,
    "`doctor`": schemas.Diagnosis,
    "`repair`": schemas.Repair,
    "`catalog show`": schemas.CatalogMetrics,
    "`catalog discover`": schemas.DiscoveredMetrics,
}
"""The bodies of the commands without a route."""


def rendered() -> str:
    """Return the page for the current program."""
    rows = [f"| {commands} | {_fields(model)} |" for commands, model in JSON.items()]
    jobs = ", ".join(f"`{name}`" for name in JOBS)
    return PREFACE.replace("{jobs}", jobs).replace("JSON_ROWS", "\n".join(rows)) + "".join(
        _sections(typer.main.get_command(app), "community-metrics")
    )


def _fields(model: Any) -> str:
    """Return the fields of a model, with those of nested models in brackets."""
    return ", ".join(_field(name, field.annotation) for name, field in model.model_fields.items())


def _field(name: str, annotation: Any) -> str:
    kinds: list[Any] = [annotation, *get_args(annotation)]
    models = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
    if models == [RunRecord]:
        return f"`{name}` (as in `history`)"
    many = "[]" if get_origin(annotation) is list else ""
    return f"`{name}{many}`" + "".join(f" ({_fields(model)})" for model in models)


def _sections(command: Any, name: str, parent: Any = None) -> list[str]:
    context = command.make_context(
        name, [], parent=parent, resilient_parsing=True, terminal_width=WIDTH, max_content_width=WIDTH
    )
    text = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    sections = [f"\n### `{context.command_path}`\n\n```text\n{text}\n```\n"]
    for child in getattr(command, "commands", ()):
        sections += _sections(command.get_command(context, child), child, context)
    return sections


if __name__ == "__main__":
    PAGE.write_text(rendered(), encoding="utf-8")
