"""Bearer tokens, if `CM_API_TOKEN_HASHES` has any; for servers, since a browser cannot keep a secret.

An accepted token shows everything. Without one a request sees what is public under `CM_PUBLIC_READ`, else
nothing. A token that is not accepted is always an error: a script whose token was withdrawn must not go on
with fewer metrics and take them for all.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

from community_metrics.api.context import as_team, header
from community_metrics.api.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BearerTokens:
    """Rejects a request without an accepted token; `/health` needs none, nor `/ready` from its own host.

    With `public_read` only a wrong token is rejected.
    """

    def __init__(self, app: ASGIApp, hashes: Sequence[str], *, public_read: bool) -> None:
        self._app = app
        self._hashes = [accepted.encode() for accepted in hashes]
        self._public_read = public_read

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["path"] == "/api/v1/health" or _is_own_host_asking(scope):
            await self._app(scope, receive, send)
            return
        token = _token(scope)
        if token is not None and self._is_accepted(token):
            await self._app(as_team(scope), receive, _uncached(send))
            return
        if token is None and self._public_read:
            await self._app(scope, receive, _by_token(send))
            return
        problem = Problem(
            "token-required",
            "Send a token of this service as `Authorization: Bearer <token>`.",
            headers={"www-authenticate": 'Bearer realm="community-metrics"'},
        )
        await problem.response(scope["path"])(scope, receive, send)

    def _is_accepted(self, token: bytes) -> bool:
        digest = token_hash(token).encode()
        # every hash is compared, each in constant time, so that the duration reveals nothing
        return sum(hmac.compare_digest(digest, accepted) for accepted in self._hashes) > 0


def _token(scope: Scope) -> bytes | None:
    """Return the token of a request; None without one, also where another scheme is for a proxy."""
    authorization = header(scope["headers"], b"authorization") or b""
    scheme, _, token = authorization.partition(b" ")
    return token.strip() if scheme.lower() == b"bearer" else None


def _is_own_host_asking(scope: Scope) -> bool:
    """Return whether a program of this host asks `/ready`: on the Unix socket, and not through a proxy.

    The host checks and reports its readiness, and knows only the hashes of the tokens.
    """
    is_direct = scope.get("client") is None and header(scope["headers"], b"x-forwarded-for") is None
    return scope["path"] == "/api/v1/ready" and is_direct


def _uncached(send: Send) -> Send:
    """Return a `send` that replaces `Cache-Control`: no cache may serve to others what needed a token."""

    async def send_private(message: Message) -> None:
        if message["type"] == "http.response.start":
            others = [item for item in message["headers"] if item[0] != b"cache-control"]
            message["headers"] = [*others, (b"cache-control", b"private, no-store")]
        await send(message)

    return send_private


def _by_token(send: Send) -> Send:
    """Return a `send` that adds to `Vary`: a cache must not serve to a token what everybody may see."""

    async def send_varying(message: Message) -> None:
        if message["type"] == "http.response.start":
            vary = header(message["headers"], b"vary")
            others = [item for item in message["headers"] if item[0] != b"vary"]
            named = b"Authorization" if vary is None else vary + b", Authorization"
            message["headers"] = [*others, (b"vary", named)]
        await send(message)

    return send_varying


def new_token() -> str:
    """Return a new token of 256 random bits."""
    return "cmt_" + secrets.token_urlsafe(32)  # the prefix lets a secret scanner recognise a token


def token_hash(token: str | bytes) -> str:
    """Return the hash of a token for `CM_API_TOKEN_HASHES`; SHA-256 is enough for 256 random bits."""
    return hashlib.sha256(token.encode() if isinstance(token, str) else token).hexdigest()
