"""`community-metrics repair`."""

from __future__ import annotations

import asyncio

import typer

from community_metrics.cli import options  # noqa: TC001  typer reads them at run time
from community_metrics.cli.output import print_json, quiet_settings
from community_metrics.cli.schemas import Repair
from community_metrics.runs.repair import repair as delete_copies


def repair(as_json: options.AsJson = False) -> None:
    """Delete surplus copies of a key, keeping the one observed last."""
    dropped = asyncio.run(delete_copies(quiet_settings()))
    if as_json:
        return print_json(Repair.model_validate({"dropped": dropped}, from_attributes=True))
    for row in dropped:
        typer.echo(f"deleted a copy of {row.key} from {row.table}")
    typer.echo(f"{len(dropped)} surplus copies deleted." if dropped else "Every key is stored once.")
    return None
