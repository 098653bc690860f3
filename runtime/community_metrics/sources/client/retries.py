"""How often and for how long a request is retried. The class of an error decides whether, never its text."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

from community_metrics.errors import SourceRateLimited, SourceUnreachable, TransientSourceError

if TYPE_CHECKING:
    import random

    from community_metrics.clock import Clock
    from community_metrics.sources.client.hosts import RegistryHost

_log = logging.getLogger(__name__)
_BACKOFF_S = 1.0
_JITTER = (1.0, 1.5)  # never below 1: a wait of at least a minute is a minute or more


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """What one request may cost: seconds, attempts, bytes.

    `total_s` limits all attempts and the waits between them. `unreachable_s` does so where the host does not
    respond, so that a refresh against hosts that drop every packet ends within about a minute.
    """

    connect_s: float = 5
    read_s: float = 20
    attempt_s: float = 30
    attempts: int = 4
    total_s: float = 180
    unreachable_s: float = 40
    max_bytes: int = 20_000_000


PROBE_LIMITS = RequestLimits(connect_s=3, read_s=8, attempt_s=10, attempts=1, total_s=10, unreachable_s=10)
"""For a person who waits to hear whether a registry responds."""


def retrying(host: RegistryHost, limits: RequestLimits, clock: Clock, rng: random.Random) -> AsyncRetrying:
    """Return the retry loop of one request, which starts now.

    A wait that the registry demands is kept in full; one that does not fit into `limits.total_s` ends the
    loop at once, since a request before its end only prolongs the limit.
    """
    started = clock.monotonic()

    def stop(state: RetryCallState) -> bool:
        unreachable = isinstance(_error_of(state), SourceUnreachable)
        budget = limits.unreachable_s if unreachable else limits.total_s
        spent = clock.monotonic() - started + state.upcoming_sleep
        return state.attempt_number >= limits.attempts or spent > budget

    def wait_s(state: RetryCallState) -> float:
        error = _error_of(state)
        if error.retry_after_s is not None:
            return error.retry_after_s + rng.uniform(0, 1)
        first = host.limit_wait_s if isinstance(error, SourceRateLimited) else _BACKOFF_S
        return float(first * 2 ** (state.attempt_number - 1) * rng.uniform(*_JITTER))

    return AsyncRetrying(
        sleep=clock.sleep,
        retry=retry_if_exception_type(TransientSourceError),
        wait=wait_s,
        stop=stop,
        before_sleep=_log_wait,
        reraise=True,
    )


def _error_of(state: RetryCallState) -> TransientSourceError:
    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, TransientSourceError):  # tenacity calls only after one of these
        raise TypeError(f"nothing to retry: {error!r}")
    return error


def _log_wait(state: RetryCallState) -> None:
    error = _error_of(state)
    kind, host = type(error).__name__, urlsplit(error.url).netloc
    _log.info("%s: %s; attempt %d in %.0f s", host, kind, state.attempt_number + 1, state.upcoming_sleep)
