"""The checks of `doctor` about deliveries: their settings, what did not arrive, and the last one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from community_metrics.cli.checks import Check, fail, ok, warn
from community_metrics.delivery.target import needed_variables, stray_variables
from community_metrics.errors import CommunityMetricsError
from community_metrics.model import DeliveryState
from community_metrics.text import named
from community_metrics.views.deliveries import (
    delivery_sentence,
    load_targets,
    never_sent_sentence,
    waiting_sentence,
)
from community_metrics.views.rows import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.clock import Clock
    from community_metrics.config import Settings
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.deliveries import TargetStatus

_AREA = "deliveries"


def setting_checks(settings: Settings, catalog: Catalog) -> Iterator[Check]:
    """Yield a check for each setting of a target that is missing, and one for all targets that lack none."""
    complete = []
    for delivery in catalog.deliveries:
        missing = [name for name in needed_variables(delivery) if name not in settings.delivery_secrets]
        for name in missing:
            fix = f"set {name}, or CM_DELIVERY with it, as docs/digest.md says"
            yield fail(_AREA, f"{delivery.id} ({delivery.to}) receives nothing: {name} is not set", fix)
        complete += [] if missing else [delivery.id]
    if complete:
        yield ok(_AREA, f"{named(complete)}: every setting is there; nothing was sent to check it")
    for sentence in stray_variables(catalog.deliveries, settings):
        yield fail(_AREA, sentence, "correct the name, or remove the setting")


async def last_delivery_checks(settings: Settings, catalog: Catalog, clock: Clock) -> list[Check]:
    """Return checks for each target: what became of the last digest for it, and what it did not get."""
    now = clock.now()

    async def load(reader: LanceDBReader) -> Sequence[TargetStatus]:
        return await load_targets(reader, catalog.deliveries, now)

    if not catalog.deliveries:
        return []
    try:
        targets, _ = await read(settings, load)
    except CommunityMetricsError:
        return []  # the check of the storage reports it
    return [check for one in targets for check in _checks(one, now)]


def _checks(one: TargetStatus, now: datetime) -> Iterator[Check]:
    for row in one.rows:
        if row.state in {DeliveryState.SENT, DeliveryState.SENDING}:
            yield ok(_AREA, delivery_sentence(row))
        else:
            yield _warning(delivery_sentence(row))
    for due in one.waiting:
        if due.is_overdue(now):
            yield _warning(waiting_sentence(one.target.id, due, now))
    for period in one.never_sent:
        yield _warning(never_sent_sentence(one.target.id, period))


def _warning(sentence: str) -> Check:
    text, _, fix = sentence.partition(" Fix: ")
    return warn(_AREA, text, fix.removesuffix("."))
