"""The building blocks of response models.

Strict: a count is a JSON integer up to 10^13, a day is `YYYY-MM-DD`. Unknown keys are ignored, since
registries add them; with any other difference nothing is stored.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from community_metrics.model import MAX_VALUE

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _iso_day(value: object) -> date:
    # pydantic itself reads a string of digits as seconds since 1970, even in strict mode
    if not isinstance(value, str) or not _ISO_DAY.fullmatch(value):
        raise ValueError("not a day written YYYY-MM-DD")
    return date.fromisoformat(value)


Count = Annotated[int, Field(ge=0, le=MAX_VALUE)]
"""A number of downloads or stars: never negative, and so small that JSON holds its sums exactly."""
Day = Annotated[date, BeforeValidator(_iso_day)]
"""A UTC day."""


class ResponseModel(BaseModel):
    """Base of every response model."""

    model_config = ConfigDict(strict=True, frozen=True)


def require_distinct(keys: Iterable[Hashable]) -> None:
    """Raise ValueError with the repeated keys; of two values for one day neither can be trusted."""
    repeated = [key for key, times in Counter(keys).items() if times > 1]
    if repeated:
        raise ValueError(f"more than once: {', '.join(str(key) for key in repeated[:3])}")
