"""What stands between the API and the world, as steps of `bootstrap.py`, which runs as root on the host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGES: tuple[str, ...] = ()


def prepare(config: dict[str, Any]) -> list[tuple[str, Callable[[], None]]]:
    """Return the steps after the files of `files/` are laid down and before units are read and enabled."""
    del config
    return []


def start(config: dict[str, Any]) -> list[tuple[str, Callable[[], None]]]:
    """Return the steps after the API answers on its socket and before the timers are started."""
    del config
    return []
