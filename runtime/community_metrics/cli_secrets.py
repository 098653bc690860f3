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
) -> None:
    """Ask for each secret without showing it, check them against LanceDB, then store them."""
    import asyncio  # noqa: PLC0415  heavy

    from community_metrics.aws.secrets_put import Vault, put_secrets  # noqa: PLC0415  heavy

    stored = asyncio.run(put_secrets(Vault(region), storage.value, _ask))
    for entry in stored:
        typer.echo(f"stored {entry.name}")
    typer.echo("A running deployment uses them within an hour." if stored else "Nothing new; nothing stored.")


def _ask(question: str) -> str:
    answer: str = typer.prompt(question, default="", hide_input=True, show_default=False)
    return answer
