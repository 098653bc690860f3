"""The roles allow exactly what a delivery by SES calls, from the one identity of the deployment."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import boto3
import pytest

from community_metrics.delivery.message import Envelope
from community_metrics.delivery.ses import Ses
from tests.infra.resolve import statements
from tests.infra.test_needed_actions import REGION, allowing, process
from tests.infra.test_policies import role_of
from tests.support.deliveries import a_delivery
from tests.support.digests import PYTHON, WEEK, digest_of, steady

if TYPE_CHECKING:
    from tests.infra.conftest import Assembly
    from tests.infra.rehearsal.recorder import Recorder

__all__ = ["process"]  # the fixture


def send(aws: Recorder, sender: str) -> None:
    boto3.client("sesv2", region_name=REGION).create_email_identity(EmailIdentity=sender)
    aws.calls.clear()  # a person verifies the identity
    ses = Ses(Envelope(sender, ("team@example.org",)))
    asyncio.run(ses.send(ses.rendered(digest_of({PYTHON: steady(10_000, WEEK.end)}), a_delivery())))


@pytest.mark.parametrize(
    ("sender", "is_allowed"), [("metrics@example.org", True), ("somebody@example.org", False)]
)
def test_a_delivery_by_ses_is_allowed_from_the_one_identity(
    assemblies: dict[str, Assembly], process: Recorder, sender: str, *, is_allowed: bool
) -> None:
    role = role_of(assemblies["host-delivery"], "host", "Role")

    send(process, sender)

    (call,) = process.calls
    assert bool(allowing(role, call)) is is_allowed
    # SES checks the second one for a message that is sent raw, which is no call of its own
    assert statements(role)["SendMail"][0] == ["ses:SendEmail", "ses:SendRawEmail"]
