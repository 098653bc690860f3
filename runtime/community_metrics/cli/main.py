"""`community-metrics …`: the program. Its commands live in the `cli_*` modules beside this one.

Exit codes: 0 success or partial, 1 failed (or a bug, with its traceback), 2 usage or configuration, 3 partial
under `--strict`, 75 another run holds the database.
"""

from __future__ import annotations

import sys
from typing import Annotated, NoReturn

import typer

from community_metrics.cli import api, catalog, jobs, secrets, views
from community_metrics.cli.options import Sections
from community_metrics.errors import CommunityMetricsError

# no pretty tracebacks: they print local variables, and those may be secrets
app = typer.Typer(
    name="community-metrics",
    cls=Sections,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich help loads markdown and pygments: 3.8 times the yardstick instead of 1.3
)
_COLLECT, _LOOK, _SERVE, _DEPLOY = "Collect", "Look", "Serve", "Deploy"


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415  only this option needs it

        typer.echo(version("community-metrics"))
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Count downloads and stars of open-source packages, week by week. A number is never invented."""


for _command in (jobs.seed, jobs.refresh, jobs.update_all, jobs.bootstrap):
    app.command(rich_help_panel=_COLLECT)(_command)
for _view in (views.report, views.status, views.history, views.doctor, views.repair):
    app.command(rich_help_panel=_LOOK)(_view)
app.command(rich_help_panel=_SERVE)(api.serve)
app.add_typer(catalog.app, name="catalog", rich_help_panel=_COLLECT)
app.add_typer(api.token, name="token", rich_help_panel=_SERVE)
app.add_typer(secrets.app, name="secrets", rich_help_panel=_DEPLOY)


def main() -> NoReturn:
    """Run the program and end the process with its exit code."""
    run_app(app)


def run_app(program: typer.Typer) -> NoReturn:
    """Run a typer program.

    An error of ours becomes one message and its exit code; a bug keeps its traceback.
    """
    try:
        program()
    except CommunityMetricsError as error:
        from rich.text import Text  # noqa: PLC0415  only a failing program needs it

        from community_metrics.cli.render.style import open_consoles  # noqa: PLC0415  only a failing program needs it

        message = Text("Error: ", "bold red").append(str(error), "default")
        open_consoles()[1].print(message, soft_wrap=True)
        sys.exit(error.exit_code)
    sys.exit(0)


if __name__ == "__main__":
    main()
