"""Downloads of a PHP package from Packagist: the total, and the last 30 days, each as of the response.

Both count installs by Composer of all versions together. Packagist keeps a response for up to 12 hours, and
its 30 days include the part of today that was over. No request starts in the first minute of an hour.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from community_metrics.model import SourceWindow, ValueKind
from community_metrics.periods import last_completed_day
from community_metrics.sources.base import FetchRequest, FetchResult, each
from community_metrics.sources.client.hosts import PACKAGIST
from community_metrics.sources.schemas import Count, ResponseModel
from community_metrics.sources.snapshots import counter, require_named, rolling

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from community_metrics.sources.client.client import RegistryClient
    from community_metrics.sources.client.replies import Reply

_PART = r"[a-z0-9](?:[._-]{0,2}[a-z0-9]){0,99}"
_PACKAGE_NAME = re.compile(f"{_PART}/{_PART}", re.IGNORECASE | re.ASCII)


class _Downloads(ResponseModel):
    total: Count
    monthly: Count


class _Package(ResponseModel):
    name: str
    downloads: _Downloads


class _Body(ResponseModel):
    package: _Package


class Packagist:
    """Total downloads of a package. No options."""

    name = "packagist"
    host = PACKAGIST.key
    window = SourceWindow.INSTANT
    kind = ValueKind.COUNTER
    family = "downloads_total"
    sdk: str | None = "php"
    retention_days: int | None = 0
    returns_full_history = True

    def validate(self, subject: str, options: Mapping[str, Any]) -> list[str]:
        """Return the faults of a catalogue entry; subject: `vendor/name`; options: none."""
        faults = [f"option {name!r} is unknown; {self.name} has none" for name in options]
        if not _PACKAGE_NAME.fullmatch(subject):
            faults.append(f"{subject!r} is not a Packagist package; write vendor/name, as monolog/monolog")
        return faults

    async def fetch(
        self, requests: Sequence[FetchRequest], client: RegistryClient
    ) -> AsyncIterator[FetchResult]:
        """Yield one reading for each request."""

        async def fetch_one(request: FetchRequest) -> FetchResult:
            package, path = request.subject, f"/packages/{request.subject}.json"
            parsed = await client.get_json(
                PACKAGIST, path, _Body, source=self.name, subject=package, is_shared=True
            )
            require_named(request, parsed.body.package.name, parsed.reply)
            return self._result(request, parsed.body.package.downloads, parsed.reply)

        async for result in each(requests, fetch_one):
            yield result

    def _result(self, request: FetchRequest, downloads: _Downloads, reply: Reply) -> FetchResult:
        return counter(request, downloads.total, reply)


class PackagistMonth(Packagist):
    """Downloads of a package in the last 30 days. No options."""

    name = "packagist-30d"
    window = SourceWindow.THIRTY_DAYS
    kind = ValueKind.ROLLING
    family = "downloads_30d"
    retention_days: int | None = 1

    def _result(self, request: FetchRequest, downloads: _Downloads, reply: Reply) -> FetchResult:
        return rolling(request, downloads.monthly, self.window, last_completed_day(reply.at), reply)
