"""Pulls of an image on Docker Hub: a total at the instant of the response, which only grows.

Every pull counts, also that of an image that is up to date, and most come from build servers. The count has
stood still for days at Docker Hub; it is stored as it is read. Past totals cannot be requested.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from community_metrics.model import SourceWindow, ValueKind
from community_metrics.sources.base import FetchRequest, FetchResult, each
from community_metrics.sources.client.hosts import DOCKER
from community_metrics.sources.client.replies import shape_error
from community_metrics.sources.schemas import Count, ResponseModel
from community_metrics.sources.snapshots import counter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from community_metrics.sources.client.client import RegistryClient

_PART = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
_IMAGE = re.compile(rf"{_PART}/{_PART}", re.ASCII)
_LONGEST_NAME = 255


class _Repository(ResponseModel):
    namespace: str
    name: str
    pull_count: Count


class DockerPulls:
    """The count of pulls now. No options."""

    name = "docker"
    host = DOCKER.key
    window = SourceWindow.INSTANT
    kind = ValueKind.COUNTER
    family = "pulls"
    sdk: str | None = None
    retention_days: int | None = 0
    returns_full_history = True

    def validate(self, subject: str, options: Mapping[str, Any]) -> list[str]:
        """Return the faults of a catalogue entry; subject: `namespace/name`; options: none."""
        faults = [f"option {name!r} is unknown; docker has none" for name in options]
        namespace, _, image = subject.rpartition("/")
        if namespace in {"", "_"}:
            faults.append(f"{subject!r} has no namespace; an official image is written library/{image}")
        elif not _IMAGE.fullmatch(subject) or len(subject) > _LONGEST_NAME:
            faults.append(f"{subject!r} is not an image of Docker Hub; write namespace/name, in lower case")
        return faults

    async def fetch(
        self, requests: Sequence[FetchRequest], client: RegistryClient
    ) -> AsyncIterator[FetchResult]:
        """Yield one reading for each request."""
        async for result in each(requests, lambda request: _read(request, client)):
            yield result


async def _read(request: FetchRequest, client: RegistryClient) -> FetchResult:
    path = f"/v2/repositories/{request.subject}/"  # without the slash it redirects
    parsed = await client.get_json(
        DOCKER, path, _Repository, source=DockerPulls.name, subject=request.subject
    )
    named = f"{parsed.body.namespace}/{parsed.body.name}"
    if named != request.subject:
        raise shape_error(parsed.reply, f"namespace and name are {named!r}")
    return counter(request, parsed.body.pull_count, parsed.reply)
