"""Bearer tokens, where `CM_API_TOKEN_HASHES` names any: for servers, since a browser can keep no secret."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING, Final

from community_metrics.api.middleware.state import header
from community_metrics.api.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

OPEN_PATH: Final = "/api/v1/health"
_TOKEN_BYTES: Final = 32
_TOKEN_PREFIX: Final = "cmt_"  # noqa: S105  lets a secret scanner know one when it sees one


class BearerTokens:
    """Lets a request through whose token hashes to one of ours; all but `/health` ask for one."""

    def __init__(self, app: ASGIApp, hashes: Sequence[str]) -> None:
        self._app = app
        self._hashes = [accepted.encode() for accepted in hashes]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] == OPEN_PATH:
            await self._app(scope, receive, send)
            return
        if self._is_accepted(scope):
            await self._app(scope, receive, _kept_by_nobody(send))
            return
        refusal = Problem(
            "token-required",
            "Send a token of this service as `Authorization: Bearer <token>`.",
            headers={"www-authenticate": 'Bearer realm="community-metrics"'},
        )
        await refusal.response(scope["path"])(scope, receive, send)

    def _is_accepted(self, scope: Scope) -> bool:
        given = header(scope["headers"], b"authorization") or b""
        scheme, _, token = given.partition(b" ")
        if scheme.lower() != b"bearer":
            return False
        digest = token_hash(token.strip()).encode()
        # every hash is compared, each in constant time: how long it takes says nothing
        return sum(hmac.compare_digest(digest, accepted) for accepted in self._hashes) > 0


def _kept_by_nobody(send: Send) -> Send:
    """Replace what any route says of caching: no cache may hand to others what a token was needed for."""

    async def send_private(message: Message) -> None:
        if message["type"] == "http.response.start":
            said = [item for item in message["headers"] if item[0] != b"cache-control"]
            message["headers"] = [*said, (b"cache-control", b"private, no-store")]
        await send(message)

    return send_private


def new_token() -> str:
    """Return a token that nobody can guess: 256 random bits."""
    return _TOKEN_PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)


def token_hash(token: str | bytes) -> str:
    """Return what `CM_API_TOKEN_HASHES` holds of a token; plain SHA-256 suffices for 256 random bits."""
    return hashlib.sha256(token.encode() if isinstance(token, str) else token).hexdigest()
