"""Targets of digests in a catalogue file, `[[delivery]]`, and their rules. Their secrets are settings."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import AfterValidator, Field

from community_metrics.catalog.entries import Entry, Slug
from community_metrics.model import MailService, TargetKind, Visibility, WebhookFormat
from community_metrics.periods import Grain
from community_metrics.suggestions import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from community_metrics.catalog.document import Fault, RawEntry

_ID: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_MAILBOX: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_OF_MAIL: Final = ("sender", "receivers", "via")
_FIELDS: Final[Mapping[TargetKind, tuple[str, ...]]] = {
    TargetKind.SLACK: (),
    TargetKind.EMAIL: _OF_MAIL,
    TargetKind.WEBHOOK: ("format",),
}
"""The fields that one kind of target has and the others have not."""


class DigestGrain(StrEnum):
    """The lengths of the periods that a digest may be about."""

    WEEK = Grain.WEEK.value
    MONTH = Grain.MONTH.value
    QUARTER = Grain.QUARTER.value


def _delivery_id(value: str) -> str:
    """Return an id that names its settings: with other characters, two ids could have one variable."""
    if not _ID.fullmatch(value):
        raise ValueError(f"{value!r} must be lower-case letters and digits with '-' between them, like team")
    return value


def _mailbox(value: str) -> str:
    if not _MAILBOX.fullmatch(value):
        raise ValueError(f"{value!r} is not an e-mail address, like team@example.org")
    return value


def _some(values: tuple[str, ...]) -> tuple[str, ...]:
    if not values:
        raise ValueError("is an empty list. Fix: write at least one, or remove the field")
    if len(set(values)) < len(values):
        raise ValueError("names one twice. Fix: remove one of the two")
    return values


Mailbox = Annotated[str, AfterValidator(_mailbox)]


class Delivery(Entry):
    """One `[[delivery]]`: which digests are sent to which target.

    `digests` are the lengths of the periods, by default weeks. `products` are those that the digest is about,
    without it all. `visibility = "team"` sends the numbers that only the team may see too. An e-mail has a
    `sender`, `receivers`, and what it is sent `via`; a webhook may have another `format` than JSON.
    """

    id: Annotated[str, AfterValidator(_delivery_id)]
    to: Annotated[TargetKind, Field(strict=False)]
    digests: Annotated[
        tuple[Annotated[DigestGrain, Field(strict=False)], ...], Field(strict=False), AfterValidator(_some)
    ] = (DigestGrain.WEEK,)
    products: Annotated[tuple[Slug, ...] | None, Field(strict=False)] = None
    visibility: Annotated[Visibility, Field(strict=False)] = Visibility.PUBLIC
    sender: Mailbox | None = None
    receivers: Annotated[tuple[Mailbox, ...], Field(strict=False)] = ()
    via: Annotated[MailService | None, Field(strict=False)] = None
    form: Annotated[WebhookFormat, Field(strict=False, alias="format")] = WebhookFormat.JSON

    @property
    def grains(self) -> tuple[Grain, ...]:
        """The lengths of the periods of its digests."""
        return tuple(Grain(one.value) for one in self.digests)


def delivery_faults(deliveries: Sequence[RawEntry], product_ids: Sequence[str]) -> Iterator[Fault]:
    """Yield a fault for each target that repeats an id, or lacks or has what its kind needs or cannot use."""
    first: dict[str, RawEntry] = {}
    for entry in deliveries:
        name = entry.id
        if name and first.setdefault(name, entry) is not entry:
            yield entry.fault("id", f"{name!r} is already used in {first[name].place}. Fix: write another id")
        products = entry.get("products")
        for product in products if isinstance(products, list) else ():
            if product not in product_ids:
                yield entry.fault(
                    "products",
                    f"there is no [[product]] {product!r}; {suggestion(str(product), product_ids)}",
                )
        if products == []:
            yield entry.fault("products", "is an empty list. Fix: write at least one, or remove the field")
        for field, message in _kind_faults(entry):
            yield entry.fault(field, message)


def _kind_faults(entry: RawEntry) -> Iterator[tuple[str, str]]:
    kind = entry.get("to")
    if kind is None:
        return  # its own fault is reported
    known = _FIELDS[TargetKind(kind)]
    for other, names in _FIELDS.items():
        for name in names:
            if name in entry.raw and name not in known:
                yield name, f'is for to = "{other}", but this is to = "{kind}". Fix: remove it'
    if kind == TargetKind.EMAIL:
        for name in _OF_MAIL:
            if not entry.raw.get(name) and name not in entry.errors:
                yield name, f"is missing. Fix: write {_EXAMPLES[name]}"
        receivers = entry.raw.get("receivers")
        if (
            entry.raw.get("via") == MailService.SES
            and isinstance(receivers, list)
            and len(receivers) > _MOST_OF_SES
        ):
            fix = "Fix: write the address of a mailing list, or a second [[delivery]]"
            yield "receivers", f"has {len(receivers)}, and SES takes {_MOST_OF_SES} for one message. {fix}"


_MOST_OF_SES: Final = 50
"""Receivers of one message, by the quotas of Amazon SES."""
_EXAMPLES: Final = {
    "sender": 'sender = "metrics@example.org"',
    "receivers": 'receivers = ["team@example.org"]',
    "via": 'via = "smtp" or via = "ses"',
}
