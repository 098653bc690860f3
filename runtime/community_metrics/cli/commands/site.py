"""`community-metrics site`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from community_metrics.cli import options
from community_metrics.cli.output import quiet_settings
from community_metrics.site.feeds import site_address
from community_metrics.site.page import static_page
from community_metrics.site.writing import WEEKS, write_site
from community_metrics.text import counted

MOST_WEEKS = 520


def _address(url: str | None) -> str | None:
    try:
        return None if url is None else site_address(url)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


Target = Annotated[Path, typer.Argument(metavar="DIR", help="The folder to write.", show_default=False)]
Page = Annotated[
    Path | None,
    typer.Option(
        exists=True, file_okay=False, help="Folder of another built page.  [default: the package's own]"
    ),
]
Weeks = Annotated[
    int,
    options.whole_number("--weeks", 1, MOST_WEEKS, "How many weeks the first screen has", show_default=True),
]
Url = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        callback=_address,
        help="Where the folder is published, for the links of its feeds (Atom); without it there are none.",
        show_default=False,
    ),
]
Team = Annotated[
    bool, typer.Option("--team", help="With the metrics that only the team may see: never publish it.")
]


def site(
    target: Target, *, url: Url = None, weeks: Weeks = WEEKS, page: Page = None, team: Team = False
) -> None:
    """Write the dashboard as static files with frozen answers; it opens without a server.

    The folder opens from any host, at any path, and as a file. Everything is as of the end of the newest
    run. Without `--team` it has only what everybody may see. A folder with other files is refused; an earlier
    site is replaced at once when the new one is whole.
    """
    folder = static_page(page)
    settings = quiet_settings()
    if team:
        typer.echo(
            f"! {target} gets the metrics that only the team may see. Whoever has the folder can read them: "
            "put it on no public host.",
            err=True,
        )
    report = asyncio.run(write_site(settings, target, folder, weeks=weeks, address=url, is_team=team))
    size = f"{counted(report.files, 'file')}, {counted(report.size, 'byte')}"
    typer.echo(
        f"{target} has the dashboard as of {report.as_of:%Y-%m-%d %H:%M} UTC: {size}. "
        f"Open {target / 'index.html'} or put the folder on any host."
    )
    if url is None:
        typer.echo("It has no feeds (Atom), since their entries link to it: name its address with --url.")
