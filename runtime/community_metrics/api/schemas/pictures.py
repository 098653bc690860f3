"""What a badge says, for services that draw badges themselves."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from community_metrics.api.schemas.base import Body

CACHE_SECONDS: Final = 3_600
"""How long shields.io may show a badge before it asks again; numbers change once a day at most."""


class EndpointBadge(Body):
    """A badge in the format of the endpoint badge of shields.io, which allows no other field."""

    schemaVersion: Literal[1] = Field(default=1, description="Always 1.")  # noqa: N815  their name
    label: str = Field(description="The left text: what is counted; in a demo it begins with `Sample data`.")
    message: str = Field(description="The right text: the value and its week or day.")
    color: str = Field(
        description="`blue`, `yellow` for a value of more than 10 days ago, `inactive` without one."
    )
    isError: bool = Field(default=False, description="Whether there is no value.")  # noqa: N815
    cacheSeconds: int = Field(  # noqa: N815
        default=CACHE_SECONDS, description="How long the badge may be shown before it is read again."
    )
