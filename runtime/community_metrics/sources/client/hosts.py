"""The registries' origins, and the pace of requests to each.

Each number has its origin beside it. A plug-in declares a `RegistryHost` of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from community_metrics.config import PUBLIC_ORIGINS


@dataclass(frozen=True, slots=True)
class RegistryHost:
    """One origin with one pace: requests to it start at least `pace_s` apart, one at a time.

    `limit_wait_s` is the first wait after a limit whose length the registry does not state; it doubles.
    `html_403_is_limit`: a 403 with a web page comes from a gatekeeper that counts requests.
    `unknown_hint` is what a 404 means there. `avoids_full_hour`: no request starts in an hour's first minute.
    `setting` is the key of the setting for another origin where many hosts share one; else it is `key`.
    """

    key: str
    public_origin: str
    pace_s: float
    limit_wait_s: float
    unknown_hint: str
    html_403_is_limit: bool = False
    avoids_full_hour: bool = False
    setting: str = ""

    @property
    def variable(self) -> str:
        """The environment variable that sets another origin: `CM_SOURCE_URL_NPM`."""
        return f"CM_SOURCE_URL_{re.sub(r'[^A-Z0-9]', '_', (self.setting or self.key).upper())}"

    def at_origin(self, detail: str, origin: str) -> str:
        """Return the detail of an error, and the variable that sets `origin` if it is not the public one."""
        if origin == self.public_origin:
            return detail
        return f"{detail or 'it answers instead of the registry'} ({self.variable} sets this address)"


PYPISTATS = RegistryHost(
    "pypistats",
    PUBLIC_ORIGINS["pypistats"],
    pace_s=2.5,  # its limiter allows 30 requests a minute for each client address
    limit_wait_s=15,
    unknown_hint="no package of that name; names are those of PyPI",
)
NPM = RegistryHost(
    "npm",
    PUBLIC_ORIGINS["npm"],
    pace_s=5,  # since November 2025 one request a second soon gets 429
    limit_wait_s=60,  # the counting window rolls: an earlier request prolongs it
    unknown_hint="no package of that name; a scoped one is written @scope/name",
    html_403_is_limit=True,  # Cloudflare's error 1015 has status 403
)
CRATES = RegistryHost(
    "crates",
    PUBLIC_ORIGINS["crates"],
    pace_s=1.1,  # its data access policy: at most one request a second
    limit_wait_s=15,
    unknown_hint="no crate of that name",
)
CRATES_STATIC = RegistryHost(
    "crates_static",
    PUBLIC_ORIGINS["crates_static"],
    pace_s=1.1,  # files in a cache, but of the same operator as its API
    limit_wait_s=60,
    unknown_hint="its archive has no file of that day",
)
GITHUB = RegistryHost(
    "github",
    PUBLIC_ORIGINS["github"],
    pace_s=1,  # its best practices: one after the other, about a second apart
    limit_wait_s=60,  # secondary limits: at least a minute where no time is stated
    unknown_hint="the repository is gone, private, or not shown to this token",
)
DOCKER = RegistryHost(
    "docker",
    PUBLIC_ORIGINS["docker"],
    pace_s=1,  # it allows thousands of requests a minute for each address, of all its clients together
    limit_wait_s=60,
    unknown_hint="no public repository of that name; an official image is written library/name",
)
HUGGING_FACE = RegistryHost(
    "huggingface",
    PUBLIC_ORIGINS["huggingface"],
    pace_s=1,  # 500 requests in 300 seconds
    limit_wait_s=60,
    unknown_hint="no public model or data set of that name; a data set is written datasets/owner/name",
)
DUCKDB = RegistryHost(
    "duckdb",
    PUBLIC_ORIGINS["duckdb"],
    pace_s=0.25,  # static files in a cache; a first run reads one for each week of two years
    limit_wait_s=60,
    unknown_hint="no file for that week",
)
DUCKDB_COMMUNITY = RegistryHost(
    "duckdb_community",
    PUBLIC_ORIGINS["duckdb_community"],
    pace_s=0.25,  # static files in a cache; a first run reads one for each week of two years
    limit_wait_s=60,
    unknown_hint="no file for that week",
)
ANACONDA = RegistryHost(
    "anaconda",
    PUBLIC_ORIGINS["anaconda"],
    pace_s=1,
    limit_wait_s=60,
    unknown_hint="no package of that name in that channel; write channel/name",
)
HOMEBREW = RegistryHost(
    "homebrew",
    PUBLIC_ORIGINS["homebrew"],
    pace_s=1,
    limit_wait_s=60,
    unknown_hint="no formula of that name; a cask is written cask/name",
)
RUBYGEMS = RegistryHost(
    "rubygems",
    PUBLIC_ORIGINS["rubygems"],
    pace_s=1,  # it allows 10 a second
    limit_wait_s=15,
    unknown_hint="no gem of that name",
)
NUGET = RegistryHost(
    "nuget",
    PUBLIC_ORIGINS["nuget"],
    pace_s=1,
    limit_wait_s=60,
    unknown_hint="its service index is not at this address",
)
NUGET_SEARCH = RegistryHost(
    "nuget_search",
    PUBLIC_ORIGINS["nuget_search"],
    pace_s=1,
    limit_wait_s=60,
    unknown_hint="its search is not at this address",
)
PACKAGIST = RegistryHost(
    "packagist",
    PUBLIC_ORIGINS["packagist"],
    pace_s=1,  # at most 10 at once
    limit_wait_s=60,
    unknown_hint="no package of that name; write vendor/name",
    avoids_full_hour=True,  # it asks for this, because everybody's scheduled jobs start then
)
OPEN_VSX = RegistryHost(
    "openvsx",
    PUBLIC_ORIGINS["openvsx"],
    pace_s=1,
    limit_wait_s=60,
    unknown_hint="no extension of that name; write namespace/name",
)
HACKER_NEWS = RegistryHost(
    "hackernews",
    PUBLIC_ORIGINS["hackernews"],
    pace_s=1,
    limit_wait_s=60,
    unknown_hint="its search is not at this address",
)


DEPS_DEV = RegistryHost(
    "deps_dev",
    PUBLIC_ORIGINS["deps_dev"],
    pace_s=1,
    limit_wait_s=60,
    unknown_hint="it does not know this package",
)


CLICKPY = RegistryHost(
    "clickpy",
    PUBLIC_ORIGINS["clickpy"],
    pace_s=60,  # it allows 60 queries an hour for each address
    limit_wait_s=900,  # longer than a request may wait: the quota of an hour is used up
    unknown_hint="its table of downloads by installer is missing or being rebuilt",
)


def feed_host(origin: str) -> RegistryHost:
    """Return the server of a feed, which has a pace and a circuit breaker of its own."""
    return RegistryHost(
        f"feed {urlsplit(origin).netloc}",
        origin,
        pace_s=1,
        limit_wait_s=60,
        unknown_hint="no feed at that address",
        setting="feeds",
    )


def package_index(key: str, origin: str) -> RegistryHost:
    """Return a registry of packages whose origin is a setting only, which its releases are read from."""
    return RegistryHost(key, origin, pace_s=1, limit_wait_s=60, unknown_hint="no package of that name")
