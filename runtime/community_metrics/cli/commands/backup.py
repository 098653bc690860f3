"""`community-metrics backup`, `backup verify` and `backup drill`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from community_metrics.backup.keeping import RULE
from community_metrics.backup.place import place_of
from community_metrics.backup.reading import verify as verify_backup
from community_metrics.backup.writing import back_up
from community_metrics.cli import options  # noqa: TC001  typer reads them at run time
from community_metrics.cli.output import quiet_settings
from community_metrics.runs.restore import drill as run_drill
from community_metrics.text import counted, named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from community_metrics.backup.manifest import Manifest
    from community_metrics.backup.writing import BackupReport

Target = Annotated[
    str | None,
    typer.Argument(
        metavar="TARGET",
        help="A folder, or s3://bucket/prefix.  [default: CM_BACKUP_TARGET]",
        show_default=False,
    ),
]
WriteOnly = Annotated[
    bool,
    typer.Option(
        "--write-only",
        help="Put files only; list, reuse and remove none.  [default: CM_BACKUP_WRITE_ONLY]",
        show_default=False,
    ),
]
KeepAll = Annotated[bool, typer.Option("--keep-all", help="Remove no earlier backup.")]


def create(target: Target = None, write_only: WriteOnly = False, keep_all: KeepAll = False) -> None:
    """Store every table as Parquet, with the catalogue and a manifest, and remove old backups.

    All tables are of one instant, whatever a job writes meanwhile. A table that has not changed since the
    backup before is not stored again.
    """
    settings = quiet_settings()
    place = place_of(settings, target)
    only_writes = write_only or settings.backup_write_only
    report = asyncio.run(back_up(settings, place, write_only=only_writes, keep_all=keep_all))
    for line in _lines(report, only_writes=only_writes):
        typer.echo(line)


def verify(source: options.BackupSource = None, backup: options.BackupId = None) -> None:
    """Compare each file of a backup with its manifest; needs no database."""
    place = place_of(quiet_settings(), source)
    manifest = asyncio.run(verify_backup(place, backup))
    typer.echo(f"The backup {place}/{manifest.backup_id} is whole: {contents(manifest)}.")


def drill(source: options.BackupSource = None, backup: options.BackupId = None) -> None:
    """Restore a backup into a scratch folder, compare every row, and remove the folder."""
    place = place_of(quiet_settings(), source)
    manifest = asyncio.run(run_drill(place, backup))
    typer.echo(
        f"The backup {place}/{manifest.backup_id} can be restored: {contents(manifest)}, every row compared."
    )


def contents(manifest: Manifest) -> str:
    """Return what a backup holds, in words."""
    tables = counted(len(manifest.tables), "table")
    return (
        f"{counted(manifest.rows, 'row')} in {tables}, {counted(manifest.bytes, 'byte')}, made "
        f"{manifest.made_at:%Y-%m-%d %H:%M} UTC"
    )


def _lines(report: BackupReport, *, only_writes: bool) -> Iterator[str]:
    manifest = report.manifest
    yield f"Backup {report.place}/{manifest.backup_id}: {contents(manifest)}."
    if report.reused:
        names = named(report.reused, shown=len(report.reused))
        yield f"Unchanged since the backup before, and not stored again: {names}."
    if only_writes:
        yield "Nothing was removed: the place is only written to; the bucket's lifecycle removes backups."
    elif report.removal is None:
        yield "Nothing was removed: every backup is kept."
    else:
        yield RULE
        yield report.removal.problem or f"Removed: {', '.join(report.removal.removed) or 'none'}."
        if report.removal.warning:
            yield report.removal.warning
