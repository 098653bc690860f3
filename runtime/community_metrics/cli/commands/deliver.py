"""`community-metrics deliver`."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from community_metrics.cli import options  # noqa: TC001  typer reads them at run time
from community_metrics.cli.output import quiet_settings
from community_metrics.cli.render.style import open_consoles
from community_metrics.delivery.job import DeliveryReport
from community_metrics.delivery.job import deliver as run_delivery
from community_metrics.errors import PeriodNotOver
from community_metrics.model import DeliveryState
from community_metrics.text import counted

Again = Annotated[
    tuple[str, str] | None,
    typer.Option(
        "--again",
        metavar="ID PERIOD",
        help="Send this period to this target, whatever became of it before.",
        show_default=False,
    ),
]


def deliver(dry_run: options.DryRun = False, again: Again = None) -> None:
    """Send each digest that is due to the targets of the catalogue.

    A week is due from Monday 07:00 UTC once it is complete, and on Wednesday 07:00 UTC in any case; a month
    and a quarter from the first day after them, for two days likewise. Nothing is sent twice. A target that
    does not answer is a notice, and the next runs try it again. Exits with 1 if what --again names did not
    arrive.
    """
    try:
        report = asyncio.run(run_delivery(quiet_settings(), dry_run=dry_run, again=again))
    except PeriodNotOver as error:
        raise typer.BadParameter(f"{error}; the last one is {error.last}") from error
    open_consoles()  # a character that the terminal lacks does not end the program
    for line in _lines(report):
        typer.echo(line)
    if again is not None and any(row.state is not DeliveryState.SENT for row in report.rows):
        raise typer.Exit(1)


def _lines(report: DeliveryReport) -> list[str]:
    lines = [*report.sentences, *(f"Would send {name}." for name in report.due)]
    if report.rows:
        return [*lines, f"Sent {counted(report.sent, 'digest')}."]
    return lines if report.due else [*lines, "Nothing is due."]
