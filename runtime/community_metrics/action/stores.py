"""Where the backups of an action are: `branch:NAME`, `release:TAG` or `s3://bucket/prefix`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from community_metrics.action.branch import BranchStore
from community_metrics.action.release import ReleaseStore
from community_metrics.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from community_metrics.config import Settings


class Store(Protocol):
    """Brings the backups to a place that `community-metrics restore` reads, and back."""

    @property
    def name(self) -> str:
        """The store in words."""
        ...

    @property
    def target(self) -> str:
        """The place of the backups after `fetch`, as `community-metrics backup` takes it."""
        ...

    def fetch(self) -> bool:
        """Bring the backups here; return False if the store does not exist yet."""
        ...

    def keep(self) -> None:
        """Bring the backups of the place into the store."""
        ...


@dataclass(frozen=True, slots=True)
class BucketStore:
    """A bucket, which is a place of backups itself."""

    target: str

    @property
    def name(self) -> str:
        """The store in words."""
        return self.target

    def fetch(self) -> bool:
        """Return False: nothing is to be brought, and an empty bucket is no sign of an error."""
        return False

    def keep(self) -> None:
        """Do nothing: a backup is in the bucket when it is made."""


@dataclass(frozen=True, slots=True)
class Repository:
    """The repository of the workflow: `owner/name`, on a GitHub with these addresses."""

    name: str
    server: str
    api: str


def store_of(text: str, repository: Repository, settings: Settings, folder: Path) -> Store:
    """Return the store that `text` names; `folder` is where its copy will be.

    Raises:
        ConfigurationError: it names none, or a release and there is no token.
    """
    kind, _, name = text.partition(":")
    if kind == "branch" and name:
        return BranchStore(f"{repository.server}/{repository.name}", name, folder)
    if kind == "release" and name:
        if settings.github_token is None:
            raise ConfigurationError("CM_GITHUB_TOKEN is not set. Fix: give the action its input `token`.")
        token = settings.github_token.get_secret_value()
        return ReleaseStore(repository.api, repository.name, name, token, folder)
    if text.startswith("s3://"):
        return BucketStore(text)
    raise ConfigurationError(
        f"The store is {text!r}. Fix: write branch:NAME, release:TAG or s3://bucket/prefix."
    )
