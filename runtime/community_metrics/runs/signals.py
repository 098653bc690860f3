"""SIGTERM and Ctrl-C stop the work, but never a write that has begun."""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

T = TypeVar("T")


class StopSignals:
    """The first signal cancels the task; `received` holds it. After `disarm` signals are ignored."""

    def __init__(self) -> None:
        self.received: list[signal.Signals] = []
        self._task = asyncio.current_task()
        self._is_armed = True

    def stop(self, number: signal.Signals) -> None:
        """Cancel the task, unless it was already."""
        if self._is_armed and not self.received and self._task is not None:
            self.received.append(number)
            self._task.cancel()

    def disarm(self) -> None:
        """Ignore signals from now on: the rest takes a moment and must be done."""
        self._is_armed = False


@contextmanager
def cancel_on_signals() -> Iterator[StopSignals]:
    """Turn the first SIGTERM or SIGINT into a cancellation of the current task; ignore further ones.

    A second signal must not interrupt the closing of the run; SIGKILL ends the process at once. Afterwards a
    signal does again what it did before.
    """
    signals = StopSignals()
    loop = asyncio.get_running_loop()
    if threading.current_thread() is not threading.main_thread():
        yield signals
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    for number in before:
        loop.add_signal_handler(number, signals.stop, number)
    try:
        yield signals
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)  # it leaves the system's default
            signal.signal(number, handler or signal.SIG_DFL)


async def run_to_completion(work: Coroutine[Any, Any, T]) -> tuple[T, bool]:
    """Return what `work` returns, and whether the task was cancelled meanwhile; the work is not interrupted.

    A merge that has begun happens also when nothing waits for it; only by waiting is its result known.
    """
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            cancelled = True
            settle_cancellation()
    return task.result(), cancelled


def settle_cancellation() -> None:
    """Clear a cancellation that was caught on purpose, so that later timeouts work."""
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()
