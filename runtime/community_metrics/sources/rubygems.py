"""Downloads of a gem from RubyGems: the total of all its versions at the instant of the response.

The total counts files that the registry sent since it began to count. There is no history by the day.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from community_metrics.model import SourceWindow, ValueKind
from community_metrics.sources.base import FetchRequest, FetchResult, each
from community_metrics.sources.client.hosts import RUBYGEMS
from community_metrics.sources.schemas import Count, ResponseModel
from community_metrics.sources.snapshots import counter, require_named

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from community_metrics.sources.client.client import RegistryClient

_GEM_NAME = re.compile(r"(?=.*[a-z])[a-z0-9][a-z0-9._-]{0,254}", re.IGNORECASE | re.ASCII)


class _Gem(ResponseModel):
    name: str
    downloads: Count


class RubyGems:
    """Total downloads of a gem. No options."""

    name = "rubygems"
    host = RUBYGEMS.key
    window = SourceWindow.INSTANT
    kind = ValueKind.COUNTER
    family = "downloads_total"
    sdk: str | None = "ruby"
    retention_days: int | None = 0
    returns_full_history = True

    def validate(self, subject: str, options: Mapping[str, Any]) -> list[str]:
        """Return the faults of a catalogue entry; subject: a gem's name; options: none."""
        faults = [f"option {name!r} is unknown; rubygems has none" for name in options]
        if not _GEM_NAME.fullmatch(subject):
            faults.append(f"{subject!r} is not the name of a gem such as rails")
        return faults

    async def fetch(
        self, requests: Sequence[FetchRequest], client: RegistryClient
    ) -> AsyncIterator[FetchResult]:
        """Yield one reading for each request."""

        async def fetch_one(request: FetchRequest) -> FetchResult:
            gem, path = request.subject, f"/api/v1/gems/{request.subject}.json"
            parsed = await client.get_json(RUBYGEMS, path, _Gem, source=self.name, subject=gem)
            require_named(request, parsed.body.name, parsed.reply)
            return counter(request, parsed.body.downloads, parsed.reply)

        async for result in each(requests, fetch_one):
            yield result
