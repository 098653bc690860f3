"""`python -m community_metrics.action restore|keep STORE`: the parts of `action/run` that need care."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from community_metrics.action.stores import Repository, store_of
from community_metrics.action.work import keep_in, require_nothing_of_the_team, restore_from
from community_metrics.catalog import load_catalog
from community_metrics.cli.main import run_app
from community_metrics.cli.output import quiet_settings

if TYPE_CHECKING:
    from community_metrics.action.stores import Store
    from community_metrics.config import Settings

app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)
StoreText = Annotated[str, typer.Argument(metavar="STORE", help="branch:NAME, release:TAG or s3://…")]
Work = Annotated[Path, typer.Option(help="A folder of the run.", exists=True, file_okay=False)]
Name = Annotated[str, typer.Option("--repository", help="The repository, owner/name.")]
Server = Annotated[str, typer.Option(help="The address of GitHub.")]
Api = Annotated[str, typer.Option(help="The address of GitHub's API.")]
Private = Annotated[bool, typer.Option("--private", help="Only the team can read the repository.")]
FirstRun = Annotated[bool, typer.Option("--first-run", help="A store that does not exist is no error.")]


@app.command()
def restore(
    store: StoreText,
    *,
    work: Work,
    repository: Name,
    server: Server,
    api: Api,
    first_run: FirstRun = False,
    private: Private = False,
) -> None:
    """Restore the newest backup of a store into the database of CM_DB_PATH."""
    if not private:
        require_nothing_of_the_team(store, load_catalog(quiet_settings().catalog))
    settings, found = _opened(store, Repository(repository, server, api), work)
    typer.echo(restore_from(found, settings, work, is_first_run=first_run))


@app.command()
def keep(store: StoreText, *, work: Work, repository: Name, server: Server, api: Api) -> None:
    """Make a backup of the database, and bring it into the store."""
    settings, found = _opened(store, Repository(repository, server, api), work)
    typer.echo(keep_in(found, settings, work))


def _opened(text: str, repository: Repository, work: Path) -> tuple[Settings, Store]:
    settings = quiet_settings()
    return settings, store_of(text, repository, settings, work / "store")


if __name__ == "__main__":
    run_app(app)
