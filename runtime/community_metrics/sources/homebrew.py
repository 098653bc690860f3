"""Installs of a Homebrew formula or cask, over the last 30, 90 and 365 days, as read on a day.

Three sources of one answer, because a source has one window. Only what is installed under the formula's own
name counts: other keys of the answer are variants of it, such as builds with `--HEAD`. A key that is absent
means unknown, not 0. Users may opt out of being counted. Past values cannot be requested.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from pydantic import BeforeValidator, Field

from community_metrics.model import SourceWindow
from community_metrics.periods import ONE_DAY, today
from community_metrics.sources.base import FetchRequest, FetchResult, each
from community_metrics.sources.client.hosts import HOMEBREW
from community_metrics.sources.client.replies import shape_error
from community_metrics.sources.schemas import Count, Day, ResponseModel
from community_metrics.sources.snapshots import left_open, rolling

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from community_metrics.sources.client.client import RegistryClient

_SUBJECT = re.compile(r"(?:cask/)?[a-z0-9][a-z0-9+._@-]*", re.ASCII)
_CASK = "cask/"
_GROUPED_DIGITS = re.compile(r"\d{1,3}(?:,\d{3})+|\d{1,14}", re.ASCII)


def _without_commas(value: object) -> object:
    """Return `1,234` as a number; the files with the counts of all formulae write them so."""
    if isinstance(value, str) and _GROUPED_DIGITS.fullmatch(value):
        return int(value.replace(",", ""))
    return value


_Installs = Annotated[Count, BeforeValidator(_without_commas)]


class _Analytics(ResponseModel):
    install: dict[str, dict[str, _Installs]]


class _Package(ResponseModel):
    """A formula has its name in `name`; a cask in `token`, and `name` lists titles."""

    own_name: Annotated[str, Field(alias="name")]
    analytics: _Analytics
    generated_date: Day


class _Cask(_Package):
    own_name: Annotated[str, Field(alias="token")]


class HomebrewInstalls:
    """The installs over one window up to the day before the answer was generated. No options."""

    host = HOMEBREW.key
    sdk: str | None = None
    retention_days: int | None = 0
    returns_full_history = True

    def __init__(self, name: str, window: SourceWindow) -> None:
        self.name = name
        self.window = window
        self.family = f"installs_{window.value}"

    def validate(self, subject: str, options: Mapping[str, Any]) -> list[str]:
        """Return the faults of a catalogue entry; subject: a formula, or `cask/name`; options: none."""
        faults = [f"option {name!r} is unknown; {self.name} has none" for name in options]
        if not _SUBJECT.fullmatch(subject):
            faults.append(f"{subject!r} is not a formula such as duckdb, or a cask such as cask/firefox")
        return faults

    async def fetch(
        self, requests: Sequence[FetchRequest], client: RegistryClient
    ) -> AsyncIterator[FetchResult]:
        """Yield one reading for each request."""
        async for result in each(requests, lambda request: self._read(request, client)):
            yield result

    async def _read(self, request: FetchRequest, client: RegistryClient) -> FetchResult:
        is_cask = request.subject.startswith(_CASK)
        name = request.subject.removeprefix(_CASK)
        path = f"/api/{'cask' if is_cask else 'formula'}/{quote(name, safe='@+')}.json"
        model = _Cask if is_cask else _Package
        parsed = await client.get_json(
            HOMEBREW, path, model, source=self.name, subject=request.subject, is_shared=True
        )
        body, reply = parsed.body, parsed.reply
        if body.own_name != name:
            raise shape_error(reply, f"the name is {body.own_name!r}")
        # the files are generated a few times a day; a copy that is older ends earlier
        last_day = min(body.generated_date, today(reply.at)) - ONE_DAY
        installs = body.analytics.install.get(self.window.value, {}).get(name)
        if installs is None:
            return left_open(
                request, last_day, f"the answer has no installs of {name} in {self.window.value}"
            )
        return rolling(request, installs, self.window, last_day, reply)


HOMEBREW_SOURCES = (
    HomebrewInstalls("homebrew", SourceWindow.THIRTY_DAYS),
    HomebrewInstalls("homebrew-90d", SourceWindow.NINETY_DAYS),
    HomebrewInstalls("homebrew-365d", SourceWindow.YEAR),
)
