"""Models and data sets of Hugging Face that a README links to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from community_metrics.discovery.model import Found, Refused
from community_metrics.sources.client.hosts import HUGGING_FACE

if TYPE_CHECKING:
    from community_metrics.discovery.manifests import Reader

_SITE: Final = re.escape(HUGGING_FACE.public_origin.partition("://")[2])
_LINK: Final = re.compile(
    rf"https?://{_SITE}/(?P<kind>datasets/)?(?P<owner>[\w.-]+)/(?P<name>[\w.-]*\w)(?![\w.-]*[{{}}$<])",
    re.ASCII,
)
_OTHER_PAGES: Final = {
    "api",
    "blog",
    "collections",
    "docs",
    "join",
    "learn",
    "models",
    "papers",
    "spaces",
    "tasks",
}


def readme_reader(github_owner: str) -> Reader:
    """Return a reader of the links of a README of this owner, each once."""

    def read(_path: str, text: str) -> list[Found | Refused]:
        found: dict[str, Found | Refused] = {}
        for link in _LINK.finditer(text):
            if link["owner"] in _OTHER_PAGES or link["owner"] == "datasets":
                continue
            subject = f"{link['kind'] or ''}{link['owner']}/{link['name']}"
            line = text.count("\n", 0, link.start()) + 1
            found.setdefault(subject, _judged(subject, link["owner"], github_owner, line))
        return list(found.values())

    return read


def _judged(subject: str, owner: str, github_owner: str, line: int) -> Found | Refused:
    """Return the link as a name if both sites have the same owner: a README links to works of others too."""
    if _plain(owner) == _plain(github_owner):
        return Found("huggingface", subject, line)
    whose = f"it belongs to {owner} on Hugging Face, and nothing shows that this is {github_owner}"
    return Refused(whose, subject, line)


def _plain(owner: str) -> str:
    return re.sub(r"[-_.]", "", owner).lower()
