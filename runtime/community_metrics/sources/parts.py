"""What a total is the sum of, and whether a part of it is gone since the last reading.

A registry that counts each file forgets the count with the file. If the other files grew by more meanwhile,
the total does not fall, and its growth is too small. So each reading is stored with what identifies the parts
that it counts, and the next reading is a reset unless all of them are still there.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from community_metrics.sources.base import FetchRequest, FetchResult


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """One part of a total; a later one has a greater `order`, and one that is replaced has another."""

    order: int
    name: str


@dataclass(frozen=True, slots=True)
class CountedParts:
    """The parts that a reading counts: the greatest order among them, 0 for none, a digest of their names."""

    newest: int
    digest: str

    @classmethod
    def of(cls, parts: Collection[Part]) -> CountedParts:
        """Return what is remembered of the parts."""
        text = ",".join(part.name for part in sorted(parts))
        digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
        return cls(max((part.order for part in parts), default=0), digest)

    @classmethod
    def of_last_reading(cls, request: FetchRequest) -> CountedParts | None:
        """Return those of the newest stored row; None if it has none."""
        newest, digest = request.last_newest_part, request.last_parts_digest
        return None if newest is None or digest is None else cls(newest, digest)

    def noted_in(self, result: FetchResult, *, is_reset: bool) -> FetchResult:
        """Return the result with these parts in its readings, and whether they are a reset."""
        read = (
            replace(one, newest_part=self.newest, parts_digest=self.digest, is_reset=is_reset)
            for one in result.observations
        )
        return replace(result, observations=tuple(read))

    def are_among(self, parts: Iterable[Part]) -> bool:
        """Return whether all are still there: the present parts that are not newer are exactly these."""
        until_then = [part for part in parts if part.order <= self.newest]
        return CountedParts.of(until_then).digest == self.digest
