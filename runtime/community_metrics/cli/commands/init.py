"""`community-metrics init`."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from community_metrics.catalog.edit import extended
from community_metrics.catalog.files import NewFile, require_absent, starter_content, write_new_files
from community_metrics.cli import options  # noqa: TC001  typer reads them at run time
from community_metrics.cli.answers import require_answers
from community_metrics.cli.discovery import LIMIT, Scope, chosen_products, owner_named, survey
from community_metrics.cli.output import print_view, quiet_settings
from community_metrics.cli.render.discovery import render_survey
from community_metrics.clock import SystemClock
from community_metrics.config import StorageMode, load_settings
from community_metrics.errors import ConfigurationError
from community_metrics.runs.registry import WeeklyRefresh
from community_metrics.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from community_metrics.catalog.edit import Wanted
    from community_metrics.config import Settings

CATALOG, DOTENV = Path("catalog.toml"), Path(".env")
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)  # what GitHub makes, and `.env` needs no quotes for


def init(
    github: Annotated[
        str | None,
        typer.Option("--github", metavar="OWNER", help="Organisation or user whose packages are looked for."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Add every proposal and refresh, without asking.")
    ] = False,
    refresh: Annotated[
        bool | None,
        typer.Option("--refresh/--no-refresh", help="Whether to fetch the numbers now.", show_default=False),
    ] = None,
    limit: options.Repositories = LIMIT,
) -> None:
    """Write catalog.toml and .env for your packages into this folder; offer the first refresh."""
    require_absent((CATALOG, DOTENV))
    settings = quiet_settings()
    _require_unset_catalog(settings)
    _require_options(github, yes=yes)
    owner = _owner(github)
    settings, token = _with_token(settings, asks=not yes)
    wanted = _wanted(Scope(owner, limit=limit), settings, takes_all=yes) if owner else []
    addition = extended(starter_content(), CATALOG, wanted)
    write_new_files(
        [NewFile(CATALOG, addition.content), NewFile(DOTENV, _dotenv(settings, token), is_secret=True)]
    )
    typer.echo(f"Wrote {CATALOG} with {counted(len(addition.metric_ids), 'metric')}, and {DOTENV}.")
    if token:
        typer.echo(f"{DOTENV} has your token: keep it out of version control.")
    if not addition.metric_ids:
        typer.echo("Add a package: community-metrics catalog add pypistats:NAME --product NAME")
        return
    _offer_refresh(refresh=yes if refresh is None else refresh, asks=refresh is None and not yes)


def _require_unset_catalog(settings: Settings) -> None:
    """Raise where the environment would override the file that is written."""
    if settings.catalog is not None:
        raise ConfigurationError(
            f"CM_CATALOG is set to {settings.catalog}, and would override {DOTENV}. Nothing was changed. "
            "Fix: unset CM_CATALOG, or extend that catalogue: community-metrics catalog discover github:OWNER"
        )


def _require_options(github: str | None, *, yes: bool) -> None:
    missing = {} if github else {"--github OWNER": "whose packages are looked for"}
    if not yes:
        missing["--yes"] = "to add every proposal, and to fetch the numbers unless --no-refresh is given"
    require_answers(missing)


def _owner(github: str | None) -> str | None:
    """Return the owner that the option names, or a person; None for a catalogue without an entry."""
    if github is not None:
        return owner_named(github)

    def parsed(answer: str) -> str | None:
        try:
            return owner_named(answer) if answer.strip() else None
        except ConfigurationError as error:
            raise typer.BadParameter(str(error)) from error

    question = "Organisation or user on GitHub whose packages are looked for (empty: none)"
    named: str | None = typer.prompt(question, default="", show_default=False, value_proc=parsed, err=True)
    return named


def _with_token(settings: Settings, *, asks: bool) -> tuple[Settings, str]:
    """Return the settings with a token of GitHub, and the token if a person typed one now."""
    if settings.github_token is not None or not asks:
        return settings, ""

    def parsed(answer: str) -> str:
        if not _TOKEN.fullmatch(answer.strip()):
            raise typer.BadParameter("a token has letters, digits, '_' and '-' only")
        return answer.strip()

    question = "Token of GitHub, which raises its limit from 60 to 5,000 requests an hour (empty: none)"
    token: str = typer.prompt(
        question, default="", show_default=False, hide_input=True, value_proc=parsed, err=True
    )
    return (load_settings({"github_token": token}) if token else settings), token


def _wanted(scope: Scope, settings: Settings, *, takes_all: bool) -> Sequence[Wanted]:
    """Return what is added of an owner, after it was printed; a person chooses unless all is taken."""
    found = asyncio.run(survey(scope, settings, SystemClock(), None, lambda line: typer.echo(line, err=True)))
    print_view(lambda glyphs, _width: render_survey(found, glyphs))
    products = list(found.by_product)
    if products and not takes_all:
        products = chosen_products(products)
    return found.wanted(products)


def _dotenv(settings: Settings, token: str) -> bytes:
    """Return the settings that every command of this folder reads; what the environment sets is left out."""
    lines = [
        "# Settings of community-metrics; every command that runs in this folder reads them.",
        f"CM_CATALOG={CATALOG}",
    ]
    if settings.storage_mode is StorageMode.LOCAL and "db_path" not in settings.model_fields_set:
        lines.append(f"CM_DB_PATH={settings.db_path}")
    lines.append("# A token raises GitHub's limit of 60 requests an hour to 5,000.")
    lines.append(f"CM_GITHUB_TOKEN={token}" if token else "# CM_GITHUB_TOKEN=")
    return ("\n".join(lines) + "\n").encode()


def _offer_refresh(*, refresh: bool, asks: bool) -> None:
    """Run the job of `community-metrics refresh`, if a person wants it."""
    if not (typer.confirm("Fetch the numbers now?", default=True, err=True) if asks else refresh):
        typer.echo("Fetch the numbers: community-metrics refresh. Then show them: community-metrics report")
        return
    from community_metrics.cli.jobs import run_job  # noqa: PLC0415  `--help` imports no database client

    typer.echo("Fetching the numbers. `community-metrics report` shows them afterwards.", err=True)
    run_job(WeeklyRefresh(), dry_run=False, strict=False, as_json=False)
