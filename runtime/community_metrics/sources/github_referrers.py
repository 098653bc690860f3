"""The ten sites from which most visitors of a repository came in the last 14 days."""

from __future__ import annotations

from community_metrics.sources.github_popular import Place, PopularPlaces


class Referrer(Place):
    """A site, by GitHub's name for it: `Google`, `news.ycombinator.com`."""

    referrer: str

    @property
    def name(self) -> str:
        """The site."""
        return self.referrer


class GitHubReferrers(PopularPlaces[Referrer]):
    """The sites of today's list. No options."""

    name = "github-referrers"
    family = "referrers"
    path = "popular/referrers"
    model = tuple[Referrer, ...]
