"""The registries whose answers are made up in files of their own.

Each has a function that answers the requests for its paths, and returns None for all others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.registries import archive, github, happenings, platforms, totals

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.registry import Registry
    from tests.support.scripted import Request, Scripted

OTHERS: tuple[Callable[[Registry, list[str], Request], Scripted | None], ...] = (
    github.answer,
    happenings.places,
    archive.answer,
    platforms.answer,
    totals.answer,
    happenings.packages,
)
