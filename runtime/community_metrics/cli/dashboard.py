"""Which dashboard `serve` and `demo` show: that of the package, or the one in a folder that is named."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from community_metrics.api.static_dashboard import packaged_dashboard

Dashboard = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        file_okay=False,
        help="Folder of another built dashboard, served at / beside the API.  [default: the package's own]",
        show_default=False,
    ),
]


def chosen_dashboard(named: Path | None) -> Path | None:
    """Return the folder that is named, else that of the package; None where the package has none."""
    return named or packaged_dashboard()


def announce(dashboard: Path | None, address: str) -> None:
    """Print where the dashboard and the API are, or that there is no dashboard."""
    if dashboard is None:
        typer.echo(
            "! This installation has no dashboard, as on a host. Fix: install it again, from a wheel or a "
            "clone, or name the folder of a built dashboard with --dashboard.",
            err=True,
        )
    else:
        typer.echo(f"The dashboard is at {address}/", err=True)
    typer.echo(f"The read API is at {address}/api/v1/docs; Ctrl-C stops it.", err=True)
