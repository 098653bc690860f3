"""The building blocks of the answers' shapes.

Strict: a count is a JSON integer that fits a table, a day is `YYYY-MM-DD`. Keys we do not know are let
through, since registries add them; anything else that differs stores nothing.
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
    # pydantic's own reading takes a string of digits for seconds since 1970, even in strict mode
    if not isinstance(value, str) or not _ISO_DAY.fullmatch(value):
        raise ValueError("not a day written YYYY-MM-DD")
    return date.fromisoformat(value)


Count = Annotated[int, Field(ge=0, le=MAX_VALUE)]
"""A number of downloads or stars: never negative, and small enough for an int64 column."""
Day = Annotated[date, BeforeValidator(_iso_day)]
"""A UTC day."""


class Shape(BaseModel):
    """Base of every answer's model."""

    model_config = ConfigDict(strict=True, frozen=True)


def require_distinct(keys: Iterable[Hashable]) -> None:
    """Raise ValueError naming what stands twice; of two values for one day neither can be trusted."""
    twice = [key for key, times in Counter(keys).items() if times > 1]
    if twice:
        raise ValueError(f"stands twice: {', '.join(str(key) for key in twice[:3])}")
