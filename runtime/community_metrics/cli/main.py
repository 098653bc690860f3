"""The `community-metrics` program: its commands, loaded when they run, and its exit codes.

Exit codes: 0 success or partial, 1 failed (or a bug, with its traceback), 2 usage or configuration, 3 partial
under `--strict`, 75 another run holds the database.
"""

from __future__ import annotations

import errno
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer
from typer.core import TyperGroup

from community_metrics.errors import CommunityMetricsError

if TYPE_CHECKING:
    from collections.abc import Callable

    Panels = dict[str, dict[str, str]]

COMMANDS: Final[Panels] = {
    "Start": {
        "init": "Write catalog.toml and .env for your packages into this folder; offer the first refresh.",
    },
    "Collect": {
        "seed": "Load the history from before the first run from seed files.",
        "import": "Load history from a file of another tool: show what would be stored, then store it.",
        "refresh": "Fetch the recent weeks from the registries, and every gap they can still fill.",
        "refresh-daily": "Fetch what a weekly reading would lose; leaves out what was read today.",
        "update-all": "Fetch more weeks from the registries; replaces seeded days and earlier refreshes.",
        "backfill": "Fill in the days from before the first run, as far back as archives have them.",
        "replay": "Rebuild a day's values from kept answers; sends no request.",
        "bootstrap": "Create missing tables.",
        "event": "Record what happened on a day, list it, remove it.",
        "catalog": "Show what is tracked, and change it.",
    },
    "Inspect": {
        "report": "Show how the products are doing: the headline, what changed, and one line for each.",
        "insights": "Say what changed in a week, a month or a quarter, by printed rules.",
        "digest": "Summarise a week, a month or a quarter, for a chat, an e-mail or a meeting.",
        "deliver": "Send each digest that is due to the targets of the catalogue.",
        "before-after": "Compare a metric before and after a day or event: what happened together, not why.",
        "goals": "Say what each week needs to reach a goal, and whether the recent weeks have it.",
        "outages": "List the days that a registry did not count, counted low or late, or restated.",
        "status": "Show how fresh the data are, where days are missing, and the last runs.",
        "history": "Show the last runs, newest first.",
        "sql": "Run a query over the tables, which only reads.",
        "doctor": "Check settings, database and registries, and print a fix for each problem.",
        "repair": "Build the indexes anew; delete surplus copies, and rows from the future.",
    },
    "Keep": {
        "backup": "Store every table in a folder or a bucket, check such a backup, try to restore it.",
        "restore": "Write a backup into an empty database of either mode, and compare every row.",
        "runs": "Take back what one run wrote.",
        "move": "Copy the database into an empty one of any mode, and compare every row.",
    },
    "Serve": {
        "serve": "Serve the dashboard and the read API until stopped; prints their addresses.",
        "mcp": "Answer an assistant's questions with the numbers, over the Model Context Protocol.",
        "demo": "Serve two years of invented sample data until stopped; needs neither network nor settings.",
        "site": "Write the dashboard as static files with frozen answers; it opens without a server.",
        "token": "Create bearer tokens for API consumers that run on servers.",
    },
    "Deploy": {
        "secrets": "Fill the Secrets Manager entries of a deployment.",
    },
}
"""The help of each command by panel; `update-all` is the function `update_all` in `commands.update_all`."""
SUBCOMMANDS: Final[Panels] = {
    "backup": {
        "create": "Store every table as Parquet, with the catalogue and a manifest, and remove old backups.",
        "verify": "Compare each file of a backup with its manifest; needs no database.",
        "drill": "Restore a backup into a scratch folder, compare every row, and remove the folder.",
    },
    "runs": {
        "undo": "Take back what one run wrote: its rows get the values of before.",
    },
    "catalog": {
        "check": "Validate the catalogue; list every fault with its line.",
        "show": "Print the active metrics, and the targets of digests.",
        "add": "Append packages or repositories to the catalogue that CM_CATALOG names.",
        "discover": "Look for packages in the repositories of a GitHub owner, and propose metrics.",
        "remove": "Remove metrics from the catalogue that CM_CATALOG names; their stored values stay.",
        "init": "Write a commented starter catalogue.",
    },
    "event": {
        "add": "Record what happened on a day, with the name of who says so.",
        "list": "Print releases, posts, mentions and outages, and apart from them notes by people.",
        "remove": "Hide an event from every view; its row stays.",
    },
    "token": {
        "new": "Create a token, and print it with its hash for `CM_API_TOKEN_HASHES`.",
    },
    "secrets": {
        "put": "Prompt for each secret without showing it, test them against LanceDB, then store them.",
    },
}
"""The commands of a group; `catalog show` is the function `show` of `commands.catalog`."""
DEFAULT_COMMANDS: Final = {"backup": "create"}
"""The command of a group that runs where none is named: `backup TARGET` is `backup create TARGET`."""


_OUTPUT_ERRORS: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EPIPE}


class LazyGroup(TyperGroup):
    """A group that imports a command's module when the command is used; its own help imports none."""

    def __init__(self, *, path: str = "", **attributes: Any) -> None:
        self._path = path
        self._panels = {"Commands": SUBCOMMANDS[path]} if path else COMMANDS
        names = [name for panel in self._panels.values() for name in panel]
        super().__init__(**attributes | {"commands": dict.fromkeys(names)})

    def get_command(self, _ctx: Any, cmd_name: str) -> Any:
        """Return the command, or None if the group has none of this name."""
        return load_command(f"{self._path} {cmd_name}".strip()) if cmd_name in self.commands else None

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Return the arguments of the program, with the default command of the group where none is named."""
        default = DEFAULT_COMMANDS.get(self._path)
        if default and not {*args[:1]} & {*self.commands, "--help"}:
            args = [default, *args]
        rest: list[str] = super().parse_args(ctx, args)
        return rest

    def format_commands(self, _ctx: Any, formatter: Any) -> None:
        """Write one section for each panel, all with the same width of the first column."""
        width = max(map(len, self.commands))
        for panel, commands in self._panels.items():
            with formatter.section(panel):
                formatter.write_dl([(name.ljust(width), text) for name, text in commands.items()])


def load_command(path: str) -> Any:
    """Return the command or group at `path`, such as `report`, `catalog` or `catalog show`."""
    if path in SUBCOMMANDS:
        text = next(panel[path] for panel in COMMANDS.values() if path in panel)
        needs_name = path not in DEFAULT_COMMANDS
        return LazyGroup(path=path, name=path, help=text, no_args_is_help=needs_name, rich_markup_mode=None)
    path = path.replace("import", "import-file")  # `import` is no name of a Python function
    module, name = path.replace("-", "_").split()[0], path.rsplit(maxsplit=1)[-1]
    command = typer.Typer(add_completion=False, rich_markup_mode=None)
    function = getattr(import_module(f"community_metrics.cli.commands.{module}"), name.replace("-", "_"))
    command.command(name)(function)
    return typer.main.get_command(command)


# no pretty tracebacks: they print local variables, and those may be secrets
app = typer.Typer(
    name="community-metrics",
    cls=LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich help imports markdown and pygments: 3.8 times the yardstick instead of 1.3
)


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


def main() -> NoReturn:
    """Run the program and end the process with its exit code."""
    run_app(app)


def run_app(program: Callable[[], object]) -> NoReturn:
    """Run a program of typer: an error of ours prints one message, a bug keeps its traceback."""
    try:
        try:
            program()
        finally:
            sys.stdout.flush()  # else the interpreter does it after this function, with a traceback
    except CommunityMetricsError as error:
        from community_metrics.cli.render.style import print_error  # noqa: PLC0415  only an error needs rich

        print_error(error)
        sys.exit(error.exit_code)
    except OSError as error:
        if error.filename is not None or error.errno not in _OUTPUT_ERRORS:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing more can be written
        sys.exit(f"Error: The output cannot be written: {error.strerror}. Fix: write it somewhere else.")
    sys.exit(0)


if __name__ == "__main__":
    main()
