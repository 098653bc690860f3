"""`community-metrics import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from community_metrics.cli import options  # noqa: TC001  typer reads them at run time
from community_metrics.runs.registry import ImportFile

FileFormat = Literal["auto", "pypistats", "star-history", "npm", "export"]
Name = Annotated[
    FileFormat,
    typer.Option(
        "--format", metavar="FORMAT", help="auto, pypistats, star-history, npm or export.", show_default=True
    ),
]
MetricId = Annotated[
    str | None,
    typer.Option("--metric", metavar="METRIC_ID", help="The metric of the values; for an export optional."),
]
Subject = Annotated[
    str | None,
    typer.Option(help="Name in the file of the package or repository, if it differs from the metric's."),
]
File = Annotated[Path, typer.Argument(metavar="FILE", help="A CSV, TSV, JSON or Parquet file.")]


def import_file(  # noqa: PLR0917  typer calls it by keyword
    path: File,
    file_format: Name = "auto",
    metric: MetricId = None,
    subject: Subject = None,
    retire: options.Retire = False,
    dry_run: options.DryRun = False,
    as_json: options.AsJson = False,
) -> None:
    """Load history from a file of another tool: show what would be stored, then store it."""
    from community_metrics.cli.jobs import preview, run_job  # noqa: PLC0415  as in `refresh`

    job = ImportFile(path, file_format, metric, subject, retire)
    if not dry_run and not as_json:
        preview(job)
    run_job(job, dry_run=dry_run, strict=False, as_json=as_json)
