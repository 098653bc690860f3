"""Work that several clients wait for: it runs once, and ends when the last of them is gone."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Hashable

Result = TypeVar("Result")


@dataclass(slots=True)
class _Shared(Generic[Result]):
    task: asyncio.Task[Result]
    waiting: int = 0


class SharedWork(Generic[Result]):
    """Runs the work of a key once, however many wait for its result."""

    def __init__(self) -> None:
        self._running: dict[Hashable, _Shared[Result]] = {}

    async def result(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """Return what `work` returns, or what the same work returns that already runs.

        Cancel a caller who no longer waits; the work is cancelled with the last one.
        """
        shared = self._running.get(key)
        if shared is None:
            shared = self._running[key] = _Shared(asyncio.create_task(work()))
        shared.waiting += 1
        try:
            return await asyncio.shield(shared.task)
        finally:
            shared.waiting -= 1
            if self._running.get(key) is shared and (shared.task.done() or not shared.waiting):
                del self._running[key]
            if not shared.waiting:
                shared.task.cancel()
