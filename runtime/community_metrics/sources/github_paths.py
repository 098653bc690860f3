"""The ten pages of a repository that were viewed most in the last 14 days.

GitHub returns the title of each page too. It is not read, because that of a pull request names its author.
"""

from __future__ import annotations

from community_metrics.sources.github_popular import Place, PopularPlaces


class Page(Place):
    """A page of a repository: its path, as GitHub returns it."""

    path: str

    @property
    def name(self) -> str:
        """The path."""
        return self.path


class GitHubPaths(PopularPlaces[Page]):
    """The pages of today's list. No options."""

    name = "github-paths"
    family = "paths"
    path = "popular/paths"
    model = tuple[Page, ...]
