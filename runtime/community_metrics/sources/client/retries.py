"""How often and how long a request is tried again. Classes decide whether, never the text of a message."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

from community_metrics.errors import (
    SourceError,
    SourceRateLimited,
    SourceUnreachable,
    TransientSourceError,
)

if TYPE_CHECKING:
    import random
    from datetime import datetime

    from community_metrics.clock import Clock
    from community_metrics.sources.client.hosts import RegistryHost

_log = logging.getLogger(__name__)
_BACKOFF_S = 1.0
_JITTER = (1.0, 1.5)  # never below 1: a wait of at least a minute is a minute or more


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one request may cost: seconds, attempts, bytes.

    `total_s` bounds all attempts and the waits between them. `unreachable_s` does where no answer comes at
    all, so that a refresh against hosts that swallow every packet ends within a minute or so.
    """

    connect_s: float = 5
    read_s: float = 20
    attempt_s: float = 30
    attempts: int = 4
    total_s: float = 180
    unreachable_s: float = 40
    max_bytes: int = 20_000_000


def retrying(host: RegistryHost, bounds: Bounds, clock: Clock, rng: random.Random) -> AsyncRetrying:
    """Return the retry loop of one request, which starts now.

    A wait that the registry asks for is kept in full; one that does not fit into `bounds.total_s` ends the
    loop at once, since coming back early would only prolong the limit.
    """
    started = clock.monotonic()

    def stop(state: RetryCallState) -> bool:
        unreachable = isinstance(_error_of(state), SourceUnreachable)
        budget = bounds.unreachable_s if unreachable else bounds.total_s
        spent = clock.monotonic() - started + state.upcoming_sleep
        return state.attempt_number >= bounds.attempts or spent > budget

    return AsyncRetrying(
        sleep=clock.sleep,
        retry=retry_if_exception_type(TransientSourceError),
        wait=lambda state: _wait_s(host, _error_of(state), state.attempt_number, rng),
        stop=stop,
        before_sleep=_log_wait,
        reraise=True,
    )


def failure(error: SourceError, attempts: int, now: datetime) -> SourceError:
    """Return what is raised after the last attempt: it says how many there were, and when to come back."""
    if not isinstance(error, TransientSourceError):
        return error
    said = f"{error}; given up after {attempts} attempt{'s' if attempts > 1 else ''}"
    if error.retry_after_s is not None:
        until = now + timedelta(seconds=error.retry_after_s)
        said += f". It asks for no request before {until:%Y-%m-%dT%H:%M:%SZ}; run again after that"
    return type(error)(said, retry_after_s=error.retry_after_s)


def _wait_s(host: RegistryHost, error: TransientSourceError, attempt: int, rng: random.Random) -> float:
    if error.retry_after_s is not None:
        return error.retry_after_s + rng.uniform(0, 1)
    first = host.limit_wait_s if isinstance(error, SourceRateLimited) else _BACKOFF_S
    return float(first * 2 ** (attempt - 1) * rng.uniform(*_JITTER))


def _error_of(state: RetryCallState) -> TransientSourceError:
    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, TransientSourceError):  # tenacity asks only after one of these
        raise TypeError(f"nothing to retry: {error!r}")
    return error


def _log_wait(state: RetryCallState) -> None:
    error = _error_of(state)
    _log.info("%s; attempt %d in %.0f s", error, state.attempt_number + 1, state.upcoming_sleep)
