"""Targets on loopback, and a database whose digests are sent to them."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from community_metrics.catalog.catalog import PACKAGED_CATALOG
from community_metrics.config import Settings
from community_metrics.delivery.job import DeliveryReport, deliver
from community_metrics.model import DeliveryState, StoredDelivery
from community_metrics.periods import Grain
from community_metrics.storage import LanceDBReader
from tests.support.clock import NOON, FakeClock
from tests.support.worlds import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiosmtpd.smtp import SMTP, Envelope, Session

    from community_metrics.model import Run
    from tests.support.replay import Replay

KEY = "signing-key-0123456789"
WEBHOOK_PATH, SLACK_PATH = "/hooks/T0SECRET", "/services/T000/B000/XXXXSECRET"
MONDAY = datetime(2026, 11, 23, 7, 10, tzinfo=UTC)
"""The first hour in which 2026-W47 is due, which is complete."""
INCOMPLETE_MONDAY = datetime(2026, 11, 9, 7, 10, tzinfo=UTC)
"""Likewise for 2026-W45, which lacks a day."""
TWO_DAYS = timedelta(days=2)
RNG = random.Random(0)  # noqa: S311  jitter


def delivery_toml(delivery_id: str = "team", to: str = "webhook", **fields: Any) -> str:
    """Return a `[[delivery]]` of the packaged product lance; a field that is None is left out."""
    given = {"id": delivery_id, "to": to, "products": ["lance"], **fields}
    lines = [f"{name} = {json.dumps(value)}" for name, value in given.items() if value is not None]
    return "\n".join(["", "[[delivery]]", *lines, ""])


def a_delivery(**changes: Any) -> StoredDelivery:
    """Return a row of `deliveries`, with other fields where they are given."""
    usual: dict[str, Any] = {
        "delivery_id": "team",
        "grain": Grain.WEEK,
        "period": "2026-W47",
        "digest_id": "2026-W47",
        "state": DeliveryState.SENT,
        "attempts": 1,
        "first_attempt_at": NOW,
        "last_attempt_at": NOW,
        "next_attempt_at": None,
        "error_class": None,
        "message": None,
        "ingestion_run_id": "run-1",
    }
    return StoredDelivery(**usual | changes)


@dataclass
class DeliveryRig:
    """One filled database, the targets of its catalogue, and the time at which a run starts."""

    settings: Settings
    targets: Replay
    now: datetime = MONDAY

    def with_deliveries(self, *entries: str, secrets: dict[str, str] | None = None) -> DeliveryRig:
        """Return the same database with these entries of the catalogue, and the settings of their secrets."""
        catalog = Path(self.settings.db_path).parent / "catalog.toml"
        text = PACKAGED_CATALOG.read_text(encoding="utf-8") + "".join(entries)
        catalog.write_text(text, encoding="utf-8")
        given = json.dumps(self.webhook_secrets if secrets is None else secrets)
        settings = Settings(_env_file=None, db_path=self.settings.db_path, catalog=catalog, delivery=given)
        return replace(self, settings=settings)

    @property
    def webhook_secrets(self) -> dict[str, str]:
        url = f"{self.targets.origin}{WEBHOOK_PATH}"
        return {"CM_DELIVERY_URL_TEAM": url, "CM_DELIVERY_KEY_TEAM": KEY}

    @property
    def slack_secrets(self) -> dict[str, str]:
        return {"CM_DELIVERY_URL_TEAM": f"{self.targets.origin}{SLACK_PATH}"}

    def at(self, now: datetime) -> DeliveryRig:
        """Return the same rig at another time."""
        return replace(self, now=now)

    async def run(self, **options: Any) -> DeliveryReport:
        """Deliver once; the clock moves only when the run waits."""
        return await deliver(self.settings, clock=FakeClock(self.now), rng=RNG, **options)

    async def rows(self) -> list[StoredDelivery]:
        async with LanceDBReader.open(self.settings) as reader:
            return await reader.deliveries(since=NOON - timedelta(days=400))

    async def row(self) -> StoredDelivery:
        """Return the only stored delivery."""
        (row,) = await self.rows()
        return row

    async def runs(self) -> list[Run]:
        async with LanceDBReader.open(self.settings) as reader:
            return await reader.runs(limit=50, jobs=["deliver"])


@dataclass
class Mailbox:
    """A mail server on loopback, and the messages it took; `refusals` are its next answers, by command."""

    password: str = ""
    messages: list[bytes] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    refusals: dict[str, list[str]] = field(default_factory=dict)
    port: int = 0

    @property
    def url(self) -> str:
        user = f"metrics:{self.password}@" if self.password else ""
        return f"smtp://{user}127.0.0.1:{self.port}"

    def _refusal(self, command: str) -> str | None:
        waiting = self.refusals.get(command)
        return waiting.pop(0) if waiting else None

    async def handle_RCPT(  # noqa: N802  aiosmtpd's names and order
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if refusal := self._refusal(f"RCPT {address}") or self._refusal("RCPT"):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        refusal = self._refusal("DATA")
        if refusal == "close":  # it took the message, and its answer is lost
            self._take(envelope)
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
            return "250 never arrives"
        if refusal:
            return refusal
        self._take(envelope)
        return "250 OK"

    def _take(self, envelope: Envelope) -> None:
        assert isinstance(envelope.content, bytes)
        self.messages.append(envelope.content)
        self.envelopes.append((envelope.mail_from or "", list(envelope.rcpt_tos)))

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login.decode())
        return AuthResult(success=data.password.decode() == self.password, handled=False)


@contextmanager
def mailbox(password: str = "") -> Iterator[Mailbox]:
    """Serve a mailbox on loopback; with a password it also takes a login."""
    box = Mailbox(password)
    options: dict[str, Any] = {"auth_require_tls": False}
    if password:
        options |= {"authenticator": box.authenticate}
    controller = _AnyPort(box, hostname="127.0.0.1", port=0, **options)
    controller.start()
    box.port = controller.port
    try:
        yield box
    finally:
        controller.stop()


class _AnyPort(Controller):
    def _trigger_server(self) -> None:
        """Connect once to the port that the system chose; the original connects to port 0."""
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # aiosmtpd's own
