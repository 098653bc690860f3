"""One check of `community-metrics doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial


class Verdict(StrEnum):
    """The result of a check; only `fail` makes the program exit with 1."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its result, what was found, and how to fix it (empty if there is nothing to fix)."""

    verdict: Verdict
    area: str
    detail: str
    fix: str = ""


ok = partial(Check, Verdict.OK)
warn = partial(Check, Verdict.WARN)
fail = partial(Check, Verdict.FAIL)
