"""`docs/cli.md`, made from the program: `python -m tests.support.cli_docs` writes it, a test compares it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from community_metrics.cli.main import app
from community_metrics.runs.registry import JOBS

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"
WIDTH = 100
PREFACE = """\
# The command line

Made from the program by `python -m tests.support.cli_docs`; a test says when this page is stale.

Every job is also a module with the same options, `python -m community_metrics.jobs.NAME`:
{jobs}.

| exit code | meaning |
| --- | --- |
| 0 | success, or a partial run |
| 1 | failed; `doctor`: something is wrong |
| 2 | usage or configuration |
| 3 | a partial run under `--strict` |
| 75 | another run holds the database |

On a terminal a job shows a bar for each source. Elsewhere it logs one line of JSON for each event to standard
error (`CM_LOG_FORMAT=console` for plain lines), and standard output holds the answer alone. Colour follows
`NO_COLOR`, and never says anything that a sign does not.

## Reading the report

A value stands for the last complete ISO week: all seven days present, the week over. `≈` marks an estimate
from a wider reading, `▫` a week with days missing, `·` a week of which nothing is known. Stars that were
read only in the running week have `this` as their week. Change is against the week before, for stars in
stars, and is left out where either week is incomplete. Where the terminal has no Unicode the bars are `1` to
`8`, estimates `a` to `d` and `~`, missing days `?`, nothing known `.`.

## JSON

`--json` prints one object whose fields stay; new ones may be added. Instants are ISO-8601 in UTC, days are
`2026-11-22`, unknown values are `null`.

| command | fields |
| --- | --- |
| `seed`, `refresh`, `update-all`, `bootstrap` | `run` (as in `history`), `dry_run`, `metrics[]` (`metric_id`, `observations`, `error`, `notes`), `plan` under `--dry-run` (`metrics[]`, `changed_rows[]`), else `null` |
| `report` | `generated_at`, `first_week`, `last_week`, `newest_day`, `last_success`, `stale`, `metrics[]` (`metric_id`, `product`, `display_name`, `latest_complete_week`, `value`, `change`, `share`, `complete_weeks`, `points[]`, `running_level`), `downloads_30d` by product, `stars` |
| `status` | `generated_at`, `storage`, `last_success`, `stale`, `metrics[]` (`metric_id`, `source`, `newest_day`, `settled_through`, `missing_days`, `observed_at`, `last_error`), `runs[]` |
| `history` | `runs[]` (`ingestion_run_id`, `job_name`, `status`, `started_at`, `finished_at`, `rows_inserted`, `rows_updated`, `rows_unchanged`, `window_start`, `window_end`, `error_summary`, `failures[]` (`cause`, `error_class`, `url`, `metric_ids`, `message`), `scope`) |
| `doctor` | `ok`, `checks[]` (`verdict`: `ok`, `warn` or `fail`; `area`, `said`, `mend`) |
| `repair` | `dropped[]` (`table`, `key`) |
| `catalog show` | a list of entries with the field names of the file |

## Commands
"""  # noqa: E501  rows of a Markdown table cannot be broken


def rendered() -> str:
    """Return the page as the program is now."""
    jobs = ", ".join(f"`{name}`" for name in JOBS)
    return PREFACE.replace("{jobs}", jobs) + "".join(
        _sections(typer.main.get_command(app), "community-metrics")
    )


def _sections(command: Any, name: str, parent: Any = None) -> list[str]:
    context = command.make_context(
        name, [], parent=parent, resilient_parsing=True, terminal_width=WIDTH, max_content_width=WIDTH
    )
    text = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    sections = [f"\n### `{context.command_path}`\n\n```text\n{text}\n```\n"]
    for child_name, child in getattr(command, "commands", {}).items():
        sections += _sections(child, child_name, context)
    return sections


if __name__ == "__main__":
    PAGE.write_text(rendered(), encoding="utf-8")
