"""Which place on GitHub a link leads to. The publisher of a package writes the link, and may be wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

_WITHOUT_SCHEME: Final = re.compile(r"(?:[\w.-]+@)?([\w.-]+)[:/](?!/)(.*)")
"""`git@github.com:acme/rocket.git` and `github.com/acme/rocket`."""
_OWNER: Final = re.compile(r"[A-Za-z0-9-]+")
_PAGES: Final = ".github.io"
_OF_GITHUB: Final = frozenset(
    {
        *("about", "apps", "collections", "contact", "enterprise", "events", "explore", "features", "issues"),
        *(
            "login",
            "marketplace",
            "new",
            "notifications",
            "organizations",
            "orgs",
            "pricing",
            "pulls",
            "search",
        ),
        *("security", "settings", "site", "sponsors", "topics", "users"),
    }
)
"""First parts of paths of GitHub's own pages: none is an owner."""


@dataclass(frozen=True, slots=True)
class GitHubPlace:
    """A repository, the page of an owner, or a site that GitHub serves for an owner."""

    owner: str
    name: str


def place_of(url: str) -> GitHubPlace | None:
    """Return the place of an owner that a browser or Git opens for a link, None if it opens anything else."""
    text = url.strip()
    if not text.isprintable() or set(text) & set(" \\"):  # a browser takes a \ for a /
        return None
    if bare := _WITHOUT_SCHEME.fullmatch(text):
        text = f"//{bare[1]}/{bare[2]}"
    try:
        parts = urlsplit(text)
    except ValueError:  # half an IPv6 address
        return None
    host = (parts.hostname or "").rstrip(".")
    after_host = parts.netloc.rpartition("@")[2].partition(":")[2]
    # Git's `ssh://git@github.com:acme/rocket` has the owner where a URL has the port
    path = parts.path if after_host.isdigit() else f"/{after_host}{parts.path}"
    steps = [step for step in unquote(path).split("/") if step]
    if ".." in steps:
        return None
    if host.endswith(_PAGES):
        return _site(host.removesuffix(_PAGES), steps)
    if host not in {"github.com", "www.github.com"}:
        return None
    return _page(steps)


def _page(steps: list[str]) -> GitHubPlace | None:
    if not steps or not _OWNER.fullmatch(steps[0]) or steps[0].casefold() in _OF_GITHUB:
        return None
    return GitHubPlace(steps[0], "/".join(["github.com", steps[0], *steps[1:2]]).removesuffix(".git"))


def _site(owner: str, steps: list[str]) -> GitHubPlace | None:
    if not _OWNER.fullmatch(owner):
        return None
    return GitHubPlace(owner, "/".join([f"{owner}{_PAGES}", *steps[:1]]))
