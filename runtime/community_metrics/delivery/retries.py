"""The attempts within one run: a few seconds for what passes at once; the next runs do the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tenacity import AsyncRetrying, retry_if_exception_type

from community_metrics.errors import DeliveryError, DeliveryUnknown, TransientDeliveryError

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable

    from tenacity import RetryCallState

ATTEMPTS: Final = 3
LONGEST_WAIT_S: Final = 30.0
"""The database is held meanwhile: a target that demands a longer wait has it until a later run."""
_BACKOFF_S: Final = 2.0
_JITTER: Final = (1.0, 1.5)


def retrying(
    sleep: Callable[[float], Awaitable[None]], rng: random.Random, *, is_idempotent: bool
) -> AsyncRetrying:
    """Return the loop around one delivery; what may have arrived goes again to an idempotent target only.

    An error of `sleep` ends it.
    """
    kinds: tuple[type[DeliveryError], ...] = (TransientDeliveryError,)
    if is_idempotent:
        kinds = (TransientDeliveryError, DeliveryUnknown)

    def wait_s(state: RetryCallState) -> float:
        demanded = _error_of(state).retry_after_s
        if demanded is not None:
            return demanded + rng.uniform(0, 1)
        return float(_BACKOFF_S * 2 ** (state.attempt_number - 1) * rng.uniform(*_JITTER))

    def stop(state: RetryCallState) -> bool:
        demanded = _error_of(state).retry_after_s or 0.0
        return state.attempt_number >= ATTEMPTS or demanded > LONGEST_WAIT_S

    return AsyncRetrying(
        sleep=sleep, retry=retry_if_exception_type(kinds), wait=wait_s, stop=stop, reraise=True
    )


def _error_of(state: RetryCallState) -> DeliveryError:
    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, DeliveryError):  # tenacity calls only after one of these
        raise TypeError(f"nothing to retry: {error!r}")
    return error
