"""What happens to the invented products: their size, what is published about them, what registries lose.

Days are counted back from today, and those of launches from the last Sunday that is over, so that the last
week always has something to show.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from community_metrics.model import EventKind

if TYPE_CHECKING:
    from datetime import date

DAYS: Final = 2 * 365
"""How many days of history a metric has, the last one yesterday."""


@dataclass(frozen=True, slots=True)
class Launch:
    """A release, a post, a story or what a person noted, and what the numbers do.

    They jump by `spike`, fade within two weeks, and `lift` of it stays. Both are shares: 0.5 is half as much
    again. A negative lift is a loss. Only a note has an author.
    """

    days_ago: int
    """How many days before the last Sunday."""
    title: str
    spike: float
    lift: float
    kind: EventKind = EventKind.RELEASE
    author: str | None = None

    def day(self, today: date) -> date:
        """Return the day on which it happens; the last Sunday that is over is never today."""
        return today - timedelta(days=self.days_ago + today.isoweekday())


@dataclass(frozen=True, slots=True)
class Story:
    """How a product grows in a year, as a share, what it launches, and for how many days it has existed."""

    growth: float
    launches: tuple[Launch, ...] = ()
    age_days: int = DAYS


@dataclass(frozen=True, slots=True)
class Aim:
    """A goal of a metric or a product, in days from now; a sum has begun `since_ago` days ago."""

    about: str
    name: str
    value: int
    in_days: int
    since_ago: int | None = None


@dataclass(frozen=True, slots=True)
class Size:
    """What a metric counts on a usual working day of this week, and for a total what it had two years ago."""

    per_day: float
    before: int = 0


STORIES: Final = {
    "orchard": Story(
        0.55,
        (
            Launch(410, "Orchard 1.0", 0.5, 0.10),
            Launch(118, "Orchard 2.0", 0.6, 0.12),
            Launch(58, "Orchard 2.3", 0.25, 0.03),
        ),
    ),
    "harbor": Story(0.30, (Launch(300, "Harbor runs on Kubernetes", 0.4, 0.08, EventKind.POST),)),
    "quill": Story(0.15, (Launch(75, "Quill 0.9", 0.3, 0.04),)),
    "lantern": Story(
        0.20,
        (
            Launch(230, "Lantern 3", 0.4, 0.05),
            Launch(4, "Lantern is on the front page of a news site", 0.9, 0.12, EventKind.MENTION),
        ),
    ),
    "tundra": Story(0.80, (Launch(160, "Tundra 1.0, the base model", 1.2, 0.25),)),
    "copperline": Story(0.05, (Launch(12, "Copperline 4.0", 1.4, 0.05),)),
    "fathom": Story(0.40, (Launch(52, "Fathom reads DuckDB", 0.5, 0.15, EventKind.POST),)),
    "junction": Story(-0.10),
    "meadow": Story(1.50, (Launch(138, "Meadow 0.1, the first public version", 1.5, 0.30),), age_days=140),
    "spindle": Story(
        -0.35,
        (Launch(6, "A framework that used Spindle drops it", -0.05, -0.22, EventKind.NOTE, "Robin Sample"),),
    ),
}
"""The story of each product, by its id."""
WATCHED_STORIES: Final = {"thicket": Story(0.25, age_days=500)}
"""The same of somebody else's product, which is compared with and in no total."""
REGISTRY_STORIES: Final = {"pypi": Story(0.25), "npm": Story(0.20), "crates": Story(0.30)}
"""The same of all packages of a registry together."""

SIZES: Final = {
    "downloads:orchard:python": Size(182_000),
    "downloads:orchard:nodejs": Size(41_000),
    "downloads:orchard:rust": Size(9_400),
    "downloads:harbor:python": Size(96_000),
    "downloads:harbor:nodejs": Size(22_500),
    "downloads:quill:python": Size(61_000),
    "downloads:quill:rust": Size(3_900),
    "downloads:lantern:nodejs": Size(38_000),
    "downloads:tundra:python": Size(27_500),
    "downloads:copperline:rust": Size(17_200),
    "downloads:fathom:python": Size(8_300),
    "downloads:junction:nodejs": Size(5_600),
    "downloads:meadow:python": Size(2_150),
    "downloads:meadow:nodejs": Size(640),
    "downloads:spindle:python": Size(14_800),
    "downloads:thicket:python": Size(146_000),
    "stars:orchard:github": Size(24, 11_400),
    "stars:harbor:github": Size(11, 6_100),
    "stars:quill:github": Size(6, 7_900),
    "stars:lantern:github": Size(14, 3_300),
    "stars:tundra:github": Size(17, 900),
    "stars:copperline:github": Size(3, 2_700),
    "stars:fathom:github": Size(5, 350),
    "stars:junction:github": Size(1.2, 1_480),
    "stars:meadow:github": Size(9, 25),
    "stars:spindle:github": Size(0.8, 4_300),
    "forks:orchard:github": Size(2.1, 640),
    "open_issues:orchard:github": Size(0.25, 210),
    "downloads_total:quill:conda": Size(3_100, 1_240_000),
    "pulls:orchard:docker": Size(5_200, 860_000),
    "pulls:harbor:docker": Size(2_600, 2_310_000),
    "release_downloads:lantern:github": Size(410, 96_000),
    "downloads_total:spindle:ruby": Size(1_900, 3_870_000),
    "downloads_30d:tundra:huggingface": Size(6_900),
    "likes:tundra:huggingface": Size(2.4, 60),
    "installs_30d:copperline:homebrew": Size(130),
    "downloads_week:fathom:duckdb": Size(900),
    "views:orchard:github": Size(1_850),
    "view_uniques:orchard:github": Size(1_850),
    "clones:orchard:github": Size(620),
    "clone_uniques:orchard:github": Size(620),
    "referrers:orchard:github": Size(1_850),
    "paths:orchard:github": Size(1_850),
    "registry:pypi:all": Size(2_310_000_000),
    "registry:npm:all": Size(9_870_000_000),
    "registry:crates:all": Size(412_000_000),
}
"""How large each metric is, by its id."""

AIMS: Final = (
    Aim("metric:stars:orchard:github", "20,000 stars of Orchard", 20_000, 120),
    Aim("metric:stars:quill:github", "12,000 stars of Quill", 12_000, 60),
    Aim("product:tundra", "5 million downloads of Tundra", 5_000_000, 40, since_ago=170),
    Aim("product:harbor", "2 million downloads of Harbor in a month", 2_000_000, 9, since_ago=21),
)
"""One that is on track, two that are not, and one that is reached."""

REFERRERS: Final = (
    "Google",
    "github.com",
    "news.example",
    "docs.sample-orchard.example",
    "Bing",
    "duckduckgo.com",
    "forum.example",
    "video.example",
    "blog.sample-orchard.example",
    "chat.example",
)
PATHS: Final = (
    "/sample-orchard/orchard",
    "/sample-orchard/orchard/releases",
    "/sample-orchard/orchard/issues",
    "/sample-orchard/orchard/blob/main/README.md",
    "/sample-orchard/orchard/pulls",
    "/sample-orchard/orchard/tree/main/examples",
    "/sample-orchard/orchard/discussions",
    "/sample-orchard/orchard/actions",
    "/sample-orchard/orchard/wiki",
    "/sample-orchard/orchard/stargazers",
)

WEEKEND: Final = {"pypistats": 0.55, "npm": 0.38, "crates": 0.62}
"""What a Saturday or Sunday has of a working day, by source."""
USUAL_WEEKEND: Final = 0.7
"""The same for every other source."""

LOST_BY_REGISTRY: Final = {"npm": (39, 38)}
"""The days that a registry never published, by source."""
LOW_AT_REGISTRY: Final = {"pypistats": (24, 0.55)}
"""The day on which a registry counted only a share of the usual for everybody, by source."""
PUBLISHED_AFTER: Final = {"crates-archive": 90}
"""How many days after a day its registry publishes it, where that is not on the next one."""
RESTATED: Final = {"pypistats": ((27, 26, 25), 0.93, 14)}
"""Days of which a registry first published only a share, and how many days ago it corrected them."""
RESET: Final = {"pulls:harbor:docker": 150}
"""When a registry began to count anew."""
UNREAD: Final = (45, 44, 43)
"""Days on which nothing could be read: the machine that collects was off."""
