"""What the middleware layers share about one request, in its ASGI scope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import MutableMapping

KEY: Final = "community_metrics.request_state"


@dataclass(slots=True)
class RequestState:
    """The id of a request, what the cache did for it, and the status of its response.

    `status` is 0 until the response starts, and stays 0 if the client disconnects before that.
    """

    request_id: str
    cache: str = "-"
    status: int = 0


def request_state(scope: MutableMapping[str, Any]) -> RequestState:
    """Return the state of the request."""
    state: RequestState = scope[KEY]
    return state
