"""How long LanceDB Enterprise may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Time limits for LanceDB Enterprise, in seconds; the client's own defaults are up to five minutes.

    The client gives up on a cluster that drops every packet after `tries` times `connect_s`, and on one that
    accepts and then sends nothing after `tries` times `read_s`.
    """

    connect_s: float = 5
    read_s: float = 15
    """Between two packets of a response."""
    request_s: float = 60
    """For a complete request, the largest merge included."""
    tries: int = 2
    """After a lost connection or a timeout. The client counts tries, not retries."""
    tries_on_status: int = 3
    """After 409, 429 and 5xx, about 0.2 s and 0.4 s apart."""
