"""The registries' origins, and the pace of requests to each.

Each number has its origin beside it. A plug-in declares a `RegistryHost` of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from community_metrics.config import PUBLIC_ORIGINS


@dataclass(frozen=True, slots=True)
class RegistryHost:
    """One origin with one pace: requests to it start at least `pace_s` apart, one at a time.

    `limit_wait_s` is the first wait after a limit whose length the registry does not state; it doubles.
    `html_403_is_limit`: a 403 with a web page comes from a gatekeeper that counts requests.
    `unknown_hint` is what a 404 means there.
    """

    key: str
    public_origin: str
    pace_s: float
    limit_wait_s: float
    unknown_hint: str
    html_403_is_limit: bool = False

    @property
    def variable(self) -> str:
        """The environment variable that sets another origin: `CM_SOURCE_URL_NPM`."""
        return f"CM_SOURCE_URL_{re.sub(r'[^A-Z0-9]', '_', self.key.upper())}"

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
GITHUB = RegistryHost(
    "github",
    PUBLIC_ORIGINS["github"],
    pace_s=1,  # its best practices: one after the other, about a second apart
    limit_wait_s=60,  # secondary limits: at least a minute where no time is stated
    unknown_hint="the repository is gone, private, or not shown to this token",
)
