"""The command of `community-metrics secrets`: put."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Fill the Secrets Manager entries of a deployment."
)


class Storage(StrEnum):
    """What `deployment.toml` says under `storage`."""

    ENTERPRISE = "enterprise"
    S3 = "s3"


@app.callback()
def group() -> None:
    """Fill the Secrets Manager entries of a deployment."""


@app.command()
def put(
    storage: Annotated[Storage, typer.Option(help="As in deployment.toml.")] = Storage.ENTERPRISE,
    region: Annotated[
        str | None, typer.Option(help="Region of the deployment.  [default: AWS's own]")
    ] = None,
    lancedb_region: Annotated[
        str | None, typer.Option(help="As in deployment.toml: the region of the LanceDB cluster.")
    ] = None,
) -> None:
    """Ask for each secret without showing it, check them against LanceDB, then store them."""
    import asyncio  # noqa: PLC0415  heavy

    from community_metrics.aws.secrets_put import (  # noqa: PLC0415  heavy
        Deployment,
        SecretsManager,
        put_secrets,
    )

    deployment = Deployment(storage.value, lancedb_region)
    result = asyncio.run(put_secrets(SecretsManager(region), deployment, _ask))
    for line in (*(f"stored {entry.name}" for entry in result.stored), *result.notes):
        typer.echo(line)
    typer.echo(
        "A running deployment uses them within an hour." if result.stored else "Nothing new; nothing stored."
    )


def _ask(question: str) -> str:
    answer: str = typer.prompt(question, default="", hide_input=True, show_default=False)
    return answer
