"""`community-metrics secrets put`."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from importlib.util import find_spec
from typing import Annotated

import typer

from community_metrics.errors import ExtraMissing


class Storage(StrEnum):
    """`storage` in `deployment.toml`."""

    ENTERPRISE = "enterprise"
    S3 = "s3"


def put(  # noqa: PLR0917  typer calls it by keyword
    storage: Annotated[Storage, typer.Option(help="As in deployment.toml.")] = Storage.ENTERPRISE,
    region: Annotated[
        str | None, typer.Option(help="Region of the deployment.  [default: AWS's own]")
    ] = None,
    lancedb_region: Annotated[
        str | None, typer.Option(help="As in deployment.toml: the region of the LanceDB cluster.")
    ] = None,
    stage: Annotated[str, typer.Option(help="As in deployment.toml.")] = "",
    delivery: Annotated[
        bool, typer.Option("--delivery", help="If deployment.toml has the table [delivery].")
    ] = False,
    unchecked: Annotated[
        bool,
        typer.Option(
            "--unchecked",
            help="Do not test the keys, if this machine cannot reach the cluster; a host does at boot.",
        ),
    ] = False,
) -> None:
    """Prompt for each secret without showing it, test them against LanceDB, then store them."""
    if find_spec("boto3") is None:
        raise ExtraMissing("Secrets Manager", "aws")
    from community_metrics.aws.secrets_put import (  # noqa: PLC0415  only the extra has its imports
        Deployment,
        SecretsManager,
        put_secrets,
    )

    deployment = Deployment(storage.value, lancedb_region, stage, reachable=not unchecked, delivery=delivery)
    result = asyncio.run(put_secrets(SecretsManager(region, deployment), deployment, _prompt))
    for line in (*(f"stored {deployment.name(entry)}" for entry in result.stored), *result.notes):
        typer.echo(line)
    typer.echo(
        "A running deployment uses them within an hour." if result.stored else "Nothing new; nothing stored."
    )


def _prompt(question: str) -> str:
    answer: str = typer.prompt(question, default="", hide_input=True, show_default=False)
    return answer
