"""Deliveries on the host: the timer, the secret that only they have, and a digest that reaches a webhook."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from infra.release import ROOT
from tests.host import webhook
from tests.host.world import WEBHOOK, WEBHOOK_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.host.box import Box

DELIVER = "community-metrics-deliver"
PROGRAM, REQUESTS = "/run/rehearsal-webhook.py", "/run/rehearsal-webhook.jsonl"
CATALOG = "/run/rehearsal-catalog.toml"
DROP_INS = (f"{DELIVER}.service.d", "community-metrics-job-deliver-.service.d")
TARGET = '\n[[delivery]]\nid = "rehearsal"\nto = "webhook"\n'
OF_A_JOB = {"cm_complete", "cm_lancedb_api_key", "cm_lancedb_host_override", "cm_lancedb_uri"}


def credentials(box: Box, name: str) -> set[str]:
    """Return the names of the credentials of a unit that `cm-job` starts for the command `name`."""
    unit = f"community-metrics-job-{name}-probe.service"
    shown = box.succeeds(
        f"systemd-run --quiet --pipe --wait --collect --unit={unit} sh -c 'ls \"$CREDENTIALS_DIRECTORY\"'"
    )
    return set(shown.split())


def last_week() -> str:
    """Return the name of the last complete week."""
    year, week, _ = (datetime.now(UTC) - timedelta(weeks=1)).isocalendar()
    return f"{year}-W{week:02}"


def write(box: Box, path: str, text: str) -> None:
    done = box.run(f"mkdir -p $(dirname {path}) && cat > {path} && chmod 644 {path}", text=text)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def receiver(box: Box) -> Iterator[Box]:
    """The shared box with a webhook of its own, and a catalogue that has it as a target."""
    packaged = (ROOT / "runtime/community_metrics/catalog/catalog.toml").read_text(encoding="utf-8")
    write(box, CATALOG, packaged + TARGET)
    write(box, PROGRAM, Path(webhook.__file__).read_text(encoding="utf-8"))
    for folder in DROP_INS:
        drop_in = f"[Service]\nEnvironment=CM_CATALOG={CATALOG}\n"
        write(box, f"/run/systemd/system/{folder}/rehearsal.conf", drop_in)
    port = WEBHOOK.rpartition(":")[2].partition("/")[0]
    box.succeeds("systemctl daemon-reload")
    box.succeeds(f"systemd-run --quiet --unit=rehearsal-webhook python3 {PROGRAM} {port} {REQUESTS}")
    box.wait_until(f"test -e {REQUESTS}")
    yield box
    box.succeeds(f"systemctl stop rehearsal-webhook; rm {REQUESTS}")
    box.succeeds(f"rm -r {' '.join(f'/run/systemd/system/{folder}' for folder in DROP_INS)}")
    box.succeeds("systemctl daemon-reload")


def received(box: Box) -> list[dict[str, Any]]:
    return [json.loads(line) for line in box.succeeds(f"cat {REQUESTS}").splitlines()]


def test_the_timer_is_enabled_and_elapses_every_hour_of_the_day(box: Box) -> None:
    shown = box.succeeds(f"systemctl show --property=TimersCalendar,Persistent,Unit {DELIVER}.timer")

    assert box.succeeds(f"systemctl is-enabled {DELIVER}.timer") == "enabled\n"
    assert box.succeeds(f"systemctl is-active {DELIVER}.timer") == "active\n"
    assert "OnCalendar=*-*-* 07..23:10:00 UTC" in shown
    assert "Persistent=yes" in shown
    assert f"Unit={DELIVER}.service" in shown


def test_only_a_delivery_and_the_doctor_have_the_secrets_of_the_targets(box: Box) -> None:
    assert credentials(box, "deliver") == OF_A_JOB | {"cm_delivery"}
    assert credentials(box, "doctor") == OF_A_JOB | {"cm_delivery", "cm_github_token"}
    assert credentials(box, "history") == OF_A_JOB | {"cm_github_token"}


def test_the_doctor_starts_also_before_the_secret_of_the_targets_has_a_value(box: Box) -> None:
    value = "/run/community-metrics/secrets/deliver/delivery"
    box.succeeds(f"mv {value} {value}.away")
    try:
        shown = box.succeeds(
            "systemd-run --quiet --pipe --wait --collect --unit=community-metrics-job-doctor-empty.service "
            "sh -c 'cat \"$CREDENTIALS_DIRECTORY/cm_delivery\"'"
        )
    finally:
        box.succeeds(f"mv {value}.away {value}")

    assert shown == "{}"


def test_with_ses_a_delivery_can_use_the_role_and_a_refresh_cannot(box: Box) -> None:
    denied = {
        name: box.succeeds(f"systemctl show --property=IPAddressDeny --value {name}.service").split()
        for name in (DELIVER, "community-metrics-daily-refresh")
    }

    assert denied[DELIVER] == []
    assert "169.254.169.254/32" in denied["community-metrics-daily-refresh"]


def test_a_digest_reaches_a_webhook_once(receiver: Box) -> None:
    sent = receiver.succeeds(f"cm-job deliver --again rehearsal {last_week()}", limit_s=120)
    receiver.succeeds(f"systemctl start {DELIVER}", limit_s=120)  # it was sent already

    (request,) = received(receiver)
    headers = request["headers"]
    signed = f"{headers['x-community-metrics-timestamp']}.{request['body']}".encode()
    expected = hmac.new(WEBHOOK_KEY.encode(), signed, hashlib.sha256).hexdigest()
    assert headers["x-community-metrics-signature"] == f"v1={expected}"
    assert last_week() in request["body"]
    assert headers["idempotency-key"]
    assert WEBHOOK_KEY not in sent
    assert "deliver" in receiver.succeeds("cm-job history")
