"""A delivery run that is killed with SIGKILL before, while and after it sends, and two runs at once."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from community_metrics.delivery.webhook import IDEMPOTENCY_KEY
from community_metrics.model import DeliveryState
from tests.support.api import fill, local_place
from tests.support.deliveries import MONDAY, SLACK_PATH, WEBHOOK_PATH, DeliveryRig, delivery_toml
from tests.support.jobs import ROOT, finished
from tests.support.program import Forked
from tests.support.replay import Replay
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

HOUR = timedelta(hours=1)
KILLED, LOCKED = -9, 75
BEFORE_SENDING, AFTER_SENDING = "after:record_delivery:1", "before:record_delivery:2"
AFTER_RECORDING = "after:record_delivery:2"


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[DeliveryRig]:
    place = local_place(tmp_path)
    await fill(place.writing)
    with Replay() as targets:
        for path in (WEBHOOK_PATH, SLACK_PATH):
            targets.always(path, Scripted(body_text="ok"))
        yield DeliveryRig(place.writing, targets).with_deliveries(delivery_toml())


def start(rig: DeliveryRig, kill_at: str = "") -> Forked:
    secrets = {name: value.get_secret_value() for name, value in rig.settings.delivery.items()}
    plan = {
        "db_path": rig.settings.db_path,
        "catalog": str(rig.settings.catalog),
        "delivery": json.dumps(secrets),
        "now": rig.now.isoformat(),
        "kill_at": kill_at,
    }
    return Forked("tests.support.deliver_process", [json.dumps(plan)], ROOT, os.environ)


@pytest.mark.parametrize(
    ("kill_at", "requests"), [(BEFORE_SENDING, 1), (AFTER_SENDING, 2), (AFTER_RECORDING, 1)]
)
async def test_a_webhook_that_gets_a_digest_twice_gets_the_same_key(
    rig: DeliveryRig, kill_at: str, requests: int
) -> None:
    assert finished(start(rig, kill_at))[0] == KILLED
    await rig.at(MONDAY + HOUR).run()
    keys = [request.headers[IDEMPOTENCY_KEY.lower()] for request in rig.targets.requests]
    assert (len(keys), len(set(keys))) == (requests, 1)
    assert (await rig.row()).state is DeliveryState.SENT


@pytest.mark.parametrize(
    ("kill_at", "requests", "state"),
    [
        ("before:record_delivery:1", 1, DeliveryState.SENT),
        (BEFORE_SENDING, 0, DeliveryState.UNKNOWN),
        (AFTER_SENDING, 1, DeliveryState.UNKNOWN),
        (AFTER_RECORDING, 1, DeliveryState.SENT),
    ],
)
async def test_slack_never_gets_a_digest_twice(
    rig: DeliveryRig, kill_at: str, requests: int, state: DeliveryState
) -> None:
    slack = rig.with_deliveries(delivery_toml(to="slack"), secrets=rig.slack_secrets)
    assert finished(start(slack, kill_at))[0] == KILLED
    await slack.at(MONDAY + HOUR).run()
    await slack.at(MONDAY + 2 * HOUR).run()
    assert len(rig.targets.requests) == requests
    assert (await slack.row()).state is state


async def test_two_processes_at_once_send_one_message(rig: DeliveryRig) -> None:
    codes = [finished(process)[0] for process in [start(rig), start(rig)]]
    assert set(codes) <= {0, LOCKED}
    assert codes != [LOCKED, LOCKED]
    assert len(rig.targets.requests) == 1
