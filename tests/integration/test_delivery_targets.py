"""What each kind of target receives, and what becomes of each of its answers."""

from __future__ import annotations

import json
from base64 import b64decode
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from traceback import format_exception
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from community_metrics.delivery.message import Envelope
from community_metrics.delivery.ses import Ses
from community_metrics.delivery.slack import Slack
from community_metrics.delivery.smtp import SmtpServer
from community_metrics.delivery.target import outgoing_key
from community_metrics.delivery.webhook import Webhook
from community_metrics.digest.slack import MOST_BLOCKS, MOST_OF_ALL
from community_metrics.errors import (
    DeliveryError,
    DeliveryUnknown,
    TerminalDeliveryError,
    TransientDeliveryError,
)
from community_metrics.model import WebhookFormat
from tests.support.clock import FakeClock
from tests.support.deliveries import KEY, SLACK_PATH, Mailbox, a_delivery, mailbox
from tests.support.digests import METRICS, PYTHON, RUST, WEEK, digest_of, steady
from tests.support.insights import flow
from tests.support.replay import Replay
from tests.support.scripted import Scripted
from tests.support.worlds import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from community_metrics.delivery.target import Target
    from community_metrics.model.digest_content import Digest

DIGEST = digest_of({PYTHON: steady(100, WEEK.end), RUST: steady(7, WEEK.end)}, metrics=METRICS[:2])
ROW = a_delivery(first_attempt_at=NOW + timedelta(hours=2))
SENDER, RECEIVERS = "metrics@example.org", ("ada@example.org", "team@example.org")
ENVELOPE = Envelope(SENDER, RECEIVERS)
OK = Scripted(body_text="ok")
NOT_GZIP = Scripted(headers={"Content-Encoding": "gzip"}, body_text="ok")


@pytest.fixture
def targets() -> Iterator[Replay]:
    with Replay() as replay:
        yield replay


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as served:
        yield served


def slack_at(targets: Replay) -> Slack:
    return Slack(SecretStr(f"{targets.origin}{SLACK_PATH}"), "CM_DELIVERY_URL_TEAM", FakeClock())


async def send(target: Target, digest: Digest = DIGEST) -> str | None:
    return await target.send(target.rendered(digest, ROW))


# Slack


async def test_slack_gets_blocks_and_a_text(targets: Replay) -> None:
    targets.always(SLACK_PATH, OK)
    await send(slack_at(targets))
    [request] = targets.requests
    message = json.loads(request.body)
    assert set(message) == {"text", "blocks"}
    assert message["text"] == DIGEST.first_line
    assert request.headers["content-type"].startswith("application/json")


async def test_200_products_are_folded_within_the_limits_of_slack(targets: Replay) -> None:
    targets.always(SLACK_PATH, OK)
    names = [f"product-{number:03}" for number in range(200)]
    metrics = [flow(f"downloads:{name}:python", product=name) for name in names]
    values = {metric.metric_id: steady(100, WEEK.end, 60) for metric in metrics}
    await send(slack_at(targets), digest_of(values, metrics=metrics))
    [request] = targets.requests
    blocks = json.loads(request.body)["blocks"]
    assert len(blocks) <= MOST_BLOCKS
    assert sum(len(json.dumps(block, ensure_ascii=False)) for block in blocks) <= MOST_OF_ALL
    assert "188 more" in request.body.decode()


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        (
            Scripted(400, body_text="invalid_payload"),
            TerminalDeliveryError,
            "Slack returned 400 invalid_payload",
        ),
        (Scripted(403, body_text="action_prohibited"), TerminalDeliveryError, "administrator .*to allow"),
        (
            Scripted(404, body_text="no_service"),
            TerminalDeliveryError,
            "create another one; set CM_DELIVERY_URL",
        ),
        (Scripted(410, body_text="channel_is_archived"), TerminalDeliveryError, "choose another channel"),
        (Scripted(404, body_text="<html>"), TerminalDeliveryError, "the target returned 404"),
        (Scripted(200, body_text="<html>"), TerminalDeliveryError, "200 without Slack's `ok`"),
        (Scripted(429, body_text="rate_limited"), TransientDeliveryError, "the target returned 429"),
        (Scripted(503, {"Retry-After": "5"}), TransientDeliveryError, "the target returned 503"),
        *((Scripted(status), DeliveryUnknown, f"returned {status}") for status in (408, 500, 502, 503, 504)),
        (Scripted(close=True), DeliveryUnknown, "the request was sent, and no response came"),
        (
            Scripted(body_text="ok", truncate=True),
            DeliveryUnknown,
            "200, and the rest of its answer was lost",
        ),
        (NOT_GZIP, DeliveryUnknown, "the target returned 200, and the rest of its answer was lost"),
    ],
)
async def test_each_answer_of_slack_is_final_or_may_pass(
    targets: Replay, reply: Scripted, kind: type[DeliveryError], said: str
) -> None:
    targets.always(SLACK_PATH, reply)
    with pytest.raises(kind, match=said) as caught:
        await send(slack_at(targets))
    assert "XXXXSECRET" not in "".join(format_exception(caught.value))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("30", 30.0),
        ("Mon, 23 Nov 2026 12:01:00 GMT", 60.0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-1", None),
    ],
)
async def test_a_demanded_wait_is_a_number_or_a_date(
    targets: Replay, header: str, expected: float | None
) -> None:
    targets.always(SLACK_PATH, Scripted(status=429, headers={"Retry-After": header}))
    with pytest.raises(TransientDeliveryError, match="429") as caught:
        await send(slack_at(targets))
    assert caught.value.retry_after_s == expected


async def test_an_address_that_cannot_be_used_is_a_final_failure_and_is_not_shown() -> None:
    slack = Slack(SecretStr(f"https://-ü.example.org{SLACK_PATH}"), "CM_DELIVERY_URL_TEAM", FakeClock())
    with pytest.raises(
        TerminalDeliveryError, match=r"address cannot be used .*Fix: set CM_DELIVERY"
    ) as caught:
        await send(slack)
    assert "XXXXSECRET" not in "".join(format_exception(caught.value))


# webhooks


async def test_a_webhook_that_answers_200_took_the_digest_whatever_its_body_is(targets: Replay) -> None:
    targets.always("/x", NOT_GZIP)
    url, key = SecretStr(f"{targets.origin}/x"), SecretStr(KEY)
    assert await send(Webhook(url, key, WebhookFormat.JSON, "CM_DELIVERY_URL_TEAM", FakeClock())) is None


@pytest.mark.parametrize(
    ("form", "media_type", "begins"),
    [
        (WebhookFormat.JSON, "application/json; charset=utf-8", b"{"),
        (WebhookFormat.SLACK, "application/json; charset=utf-8", b'{\n  "text"'),
        (WebhookFormat.MARKDOWN, "text/markdown; charset=utf-8", b"#"),
    ],
)
async def test_a_webhook_gets_the_format_that_it_asks_for(
    targets: Replay, form: WebhookFormat, media_type: str, begins: bytes
) -> None:
    targets.always("/x", Scripted(status=204))
    url = SecretStr(f"{targets.origin}/x")
    await send(Webhook(url, SecretStr(KEY), form, "CM_DELIVERY_URL_TEAM", FakeClock()))
    [request] = targets.requests
    assert request.headers["content-type"] == media_type
    assert request.body.startswith(begins)


# e-mail through a mail server


def parsed(content: bytes) -> Any:
    return message_from_bytes(content, policy=default)


async def test_a_mail_server_gets_one_message_with_a_plain_and_an_html_part(box: Mailbox) -> None:
    assert await send(SmtpServer(SecretStr(box.url), ENVELOPE)) is None
    [content] = box.messages
    message = parsed(content)
    assert box.envelopes == [(SENDER, list(RECEIVERS))]
    assert (message["From"], message["To"]) == (SENDER, ", ".join(RECEIVERS))
    assert message["Message-ID"] == f"<{outgoing_key(ROW)}@example.org>"
    assert message["Date"].datetime == ROW.first_attempt_at
    assert message["Subject"] == DIGEST.first_line
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    plain = message.get_body(("plain",)).get_content()
    assert DIGEST.first_line in " ".join(plain.split())


async def test_each_attempt_sends_the_same_bytes(box: Mailbox) -> None:
    server = SmtpServer(SecretStr(box.url), ENVELOPE)
    await send(server)
    await send(server)
    first, second = box.messages
    assert first == second


async def test_a_user_and_a_password_of_the_address_are_the_login() -> None:
    with mailbox("p/w@x") as box:
        await send(SmtpServer(SecretStr(box.url.replace("p/w@x", "p%2Fw%40x")), ENVELOPE))
        assert (len(box.messages), box.logins) == (1, ["metrics"])
        with pytest.raises(TerminalDeliveryError, match="returned 535") as caught:
            await send(SmtpServer(SecretStr(box.url.replace("p/w@x", "wrong")), ENVELOPE))
    assert "wrong" not in str(caught.value)


async def test_a_password_that_the_login_cannot_send_is_a_final_failure_and_is_not_shown() -> None:
    with mailbox("päss") as box:
        url = SecretStr(box.url.replace("päss", "p%C3%A4ss"))
        with pytest.raises(TerminalDeliveryError, match=r"Fix: .*a login of ASCII characters") as caught:
            await send(SmtpServer(url, ENVELOPE))
        assert box.messages == []
    assert "päss" not in "".join(format_exception(caught.value))


@pytest.mark.parametrize("host", ["smtp..example.org", f"{64 * 'a'}.example.org"])
async def test_a_mail_server_that_cannot_exist_is_a_final_failure(host: str) -> None:
    with pytest.raises(TerminalDeliveryError, match=r"the host of CM_SMTP_URL cannot exist.*Fix: correct"):
        await send(SmtpServer(SecretStr(f"smtp://{host}"), ENVELOPE))


@pytest.mark.parametrize(
    ("command", "answer", "kind", "said"),
    [
        ("RCPT", "450 4.2.1 try later", TransientDeliveryError, "returned 450: 4.2.1 try later"),
        ("DATA", "451 4.3.0 try later", TransientDeliveryError, "returned 451"),
        ("DATA", "554 5.7.1 spam", TerminalDeliveryError, "returned 554: 5.7.1 spam"),
        ("DATA", "close", DeliveryUnknown, "the message was sent, and the mail server did not answer"),
    ],
)
async def test_each_answer_of_a_mail_server_is_final_or_may_pass(
    box: Mailbox, command: str, answer: str, kind: type[DeliveryError], said: str
) -> None:
    box.refusals[command] = [answer]
    with pytest.raises(kind, match=said):
        await send(SmtpServer(SecretStr(box.url), ENVELOPE))
    assert len(box.messages) == (answer == "close")


async def test_receivers_that_the_server_refuses_are_named_by_place_and_the_others_get_it(
    box: Mailbox,
) -> None:
    box.refusals[f"RCPT {RECEIVERS[0]}"] = ["550 no such user"]
    note = await send(SmtpServer(SecretStr(box.url), ENVELOPE))
    assert note == "the server refuses receiver 1 of 2"
    assert box.envelopes == [(SENDER, [RECEIVERS[1]])]


async def test_a_message_that_no_receiver_may_get_is_a_final_refusal(box: Mailbox) -> None:
    box.refusals["RCPT"] = ["550 no such user"] * 2
    said = r"refuses receiver 1 of 2, receiver 2 of 2\. Fix: correct the receivers"
    with pytest.raises(TerminalDeliveryError, match=said):
        await send(SmtpServer(SecretStr(box.url), ENVELOPE))


NAMING = [
    ("4.1.1 <ada@example.org>: try later", "4.1.1 <receiver 1 of 2>: try later"),
    ("for TEAM@Example.ORG.", "for receiver 2 of 2."),
    ("identity/metrics@example.org is not verified", "identity/the sender is not verified"),
    ("ada@example.org.uk, ada@example.org", "(an address), receiver 1 of 2"),
    ("moved to grace.h@mail.example", "moved to (an address)"),
    ("see https://mail.example/?who=ada%40example.org", "see https://mail.example/?who=receiver 1 of 2"),
    (f"{190 * '.'} ada@example.org", f"{190 * '.'} receiver "),
]
"""What a mail service may answer, and what of it is shown."""


@pytest.mark.parametrize(("answer", "shown"), NAMING)
async def test_no_address_in_an_answer_of_a_mail_server_is_shown(
    box: Mailbox, answer: str, shown: str
) -> None:
    box.refusals["RCPT"] = [f"450 {answer}"]
    with pytest.raises(TransientDeliveryError, match="the mail server returned 450: ") as caught:
        await send(SmtpServer(SecretStr(box.url), ENVELOPE))
    assert str(caught.value) == f"the mail server returned 450: {shown}".strip()


async def test_a_mail_server_that_is_away_may_be_back_later() -> None:
    with pytest.raises(TransientDeliveryError, match=r"cannot be reached \(ConnectionRefusedError\)"):
        await send(SmtpServer(SecretStr("smtp://127.0.0.1:1"), ENVELOPE))


# e-mail through SES


@pytest.fixture
def ses(targets: Replay, monkeypatch: pytest.MonkeyPatch) -> Replay:
    """Return an endpoint on loopback that boto3 takes for SES."""
    for name, value in {
        "AWS_ENDPOINT_URL_SESV2": targets.origin,
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(name, value)
    return targets


PATH = "/v2/email/outbound-emails"


def refused(status: int, code: str) -> Scripted:
    return Scripted(status, {"x-amzn-errortype": code}, body={"message": f"because of {code}"})


async def test_ses_gets_the_message_as_it_is(ses: Replay) -> None:
    ses.always(PATH, Scripted(body={"MessageId": "1"}))
    await send(Ses(ENVELOPE))
    [request] = ses.requests
    body = json.loads(request.body)
    assert (body["FromEmailAddress"], body["Destination"]) == (SENDER, {"ToAddresses": list(RECEIVERS)})
    message = parsed(b64decode(body["Content"]["Raw"]["Data"]))
    assert message["Message-ID"] == f"<{outgoing_key(ROW)}@example.org>"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        (refused(429, "TooManyRequestsException"), TransientDeliveryError, "SES returned TooManyRequests"),
        (refused(400, "LimitExceededException"), TransientDeliveryError, "LimitExceeded"),
        (refused(400, "ThrottlingException"), TransientDeliveryError, "ThrottlingException"),
        (refused(408, "RequestTimeout"), DeliveryUnknown, "RequestTimeout"),
        (refused(500, "InternalFailure"), DeliveryUnknown, "InternalFailure"),
        (refused(400, "MessageRejected"), TerminalDeliveryError, "because of MessageRejected. Fix: verify"),
        (refused(403, "AccessDeniedException"), TerminalDeliveryError, "allow this role ses:SendEmail"),
        (Scripted(close=True), DeliveryUnknown, "the message was sent, and SES did not answer"),
    ],
)
async def test_each_answer_of_ses_is_final_or_may_pass_and_is_asked_for_once(
    ses: Replay, reply: Scripted, kind: type[DeliveryError], said: str
) -> None:
    ses.always(PATH, reply)
    with pytest.raises(kind, match=said):
        await send(Ses(ENVELOPE))
    assert len(ses.requests) == 1


@pytest.mark.parametrize(("answer", "shown"), NAMING)
async def test_no_address_in_an_answer_of_ses_is_shown(ses: Replay, answer: str, shown: str) -> None:
    reply = Scripted(429, {"x-amzn-errortype": "TooManyRequestsException"}, body={"message": answer})
    ses.always(PATH, reply)
    with pytest.raises(TransientDeliveryError, match="SES returned TooManyRequests") as caught:
        await send(Ses(ENVELOPE))
    assert str(caught.value) == f"SES returned TooManyRequestsException: {shown}".strip()


async def test_ses_that_is_away_may_be_back_later(ses: Replay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SESV2", "http://127.0.0.1:1")
    with pytest.raises(TransientDeliveryError, match="SES cannot be reached"):
        await send(Ses(ENVELOPE))


async def test_ses_without_a_region_names_what_is_missing(
    ses: Replay, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(TerminalDeliveryError, match=r"must specify a region. Fix: set the AWS region"):
        await send(Ses(ENVELOPE))
