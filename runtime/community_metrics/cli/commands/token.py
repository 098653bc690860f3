"""`community-metrics token new`."""

from __future__ import annotations

import typer

from community_metrics.api.middleware.tokens import new_token, token_hash


def new() -> None:
    """Create a token, and print it with its hash for `CM_API_TOKEN_HASHES`. It is not stored."""
    token = new_token()
    typer.echo(f"token: {token}")
    typer.echo(f"hash:  {token_hash(token)}")
    typer.echo(
        "Give the token to one consumer on a server. Add the hash to CM_API_TOKEN_HASHES, comma-separated.",
        err=True,
    )
