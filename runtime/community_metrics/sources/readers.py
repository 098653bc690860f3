"""What reads events, by the name that a reading of the catalogue has for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from community_metrics.sources.feeds import Feeds
from community_metrics.sources.hacker_news import HackerNews
from community_metrics.sources.releases import GitHubReleaseEvents, NpmReleases, PyPiReleases

if TYPE_CHECKING:
    from collections.abc import Mapping

    from community_metrics.sources.base import Reader

EVENT_READERS: Final[Mapping[str, Reader]] = {
    "feed": Feeds(),
    "mention": HackerNews(),
    "releases/github": GitHubReleaseEvents(),
    "releases/pypi": PyPiReleases(),
    "releases/npm-registry": NpmReleases(),
}
