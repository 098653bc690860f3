"""What a discovery finds: proposals with their evidence, what is not proposed and why, what was not read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from community_metrics.text import one_line

_SITE: Final = "https://github.com"


@dataclass(frozen=True, slots=True)
class Found:
    """A name that a manifest states: the source that counts it, and the line."""

    source: str
    subject: str
    line: int | None


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a manifest states no name that can be proposed; `subject` is the name that it has, if any."""

    reason: str
    subject: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a name stands. Without a path it is the repository itself."""

    repository: str
    branch: str
    path: str | None = None
    line: int | None = None

    @property
    def url(self) -> str:
        """The page on GitHub that shows it."""
        if self.path is None:
            return f"{_SITE}/{self.repository}"
        page = f"{_SITE}/{self.repository}/blob/{quote(self.branch)}/{quote(self.path)}"
        return page if self.line is None else f"{page}#L{self.line}"

    def __str__(self) -> str:
        """Return `repository path:line`, as a terminal shows it."""
        line = "" if self.line is None else f":{self.line}"
        return self.repository if self.path is None else one_line(f"{self.repository} {self.path}{line}")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A metric that could be added: `SOURCE:SUBJECT`, its product, and every place that states it."""

    source: str
    subject: str
    product: str
    product_name: str
    evidence: tuple[Evidence, ...]

    @property
    def spec(self) -> str:
        """What `catalog add` is given."""
        return f"{self.source}:{self.subject}"


@dataclass(frozen=True, slots=True)
class NotProposed:
    """A manifest, or a name in one, that is not proposed, and why."""

    evidence: Evidence
    reason: str
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """A repository that was not read, or only in part, and why."""

    repository: str
    reason: str


@dataclass(frozen=True, slots=True)
class Discovery:
    """Everything that was found of an owner.

    `stopped` is why the reading ended before its end; None if it did not. `forks`, `archived` and `disabled`
    are the names of repositories that were left out.
    """

    owner: str
    is_organisation: bool | None
    listed: int
    proposals: tuple[Proposal, ...] = ()
    not_proposed: tuple[NotProposed, ...] = ()
    unread: tuple[Unread, ...] = ()
    forks: tuple[str, ...] = ()
    archived: tuple[str, ...] = ()
    disabled: tuple[str, ...] = ()
    stopped: str | None = None
    read: tuple[str, ...] = field(default=())
