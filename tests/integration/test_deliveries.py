"""A digest is sent once to each target, when it is due, whatever fails on the way."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from community_metrics.api.middleware.tokens import new_token, token_hash
from community_metrics.catalog import load_catalog
from community_metrics.catalog.catalog import parse_catalog
from community_metrics.cli.checks import Verdict
from community_metrics.cli.delivery_checks import last_delivery_checks, setting_checks
from community_metrics.clock import SystemClock
from community_metrics.delivery.webhook import IDEMPOTENCY_KEY, SIGNATURE, TIMESTAMP
from community_metrics.errors import ConfigurationError, LeaseLost, PeriodNotOver, RunLocked
from community_metrics.model import DeliveryState, RunStatus, SourceWindow
from community_metrics.periods import Grain
from community_metrics.storage import LanceDBReader, LanceDBStore
from community_metrics.storage.schemas import DIGESTS
from community_metrics.views.deliveries import (
    delivery_sentence,
    load_targets,
    never_sent_sentence,
    waiting_sentence,
)
from tests.support.api import MISSING_DAY, RUST, fill, local_place, observed, serving, write
from tests.support.clock import NOON, FakeClock
from tests.support.deliveries import (
    INCOMPLETE_MONDAY,
    KEY,
    MONDAY,
    SLACK_PATH,
    TWO_DAYS,
    WEBHOOK_PATH,
    DeliveryRig,
    a_delivery,
    delivery_toml,
    mailbox,
)
from tests.support.program import run_program
from tests.support.replay import Replay
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    import subprocess
    from collections.abc import AsyncIterator

    from community_metrics.model import StoredDelivery
    from tests.support.scripted import Request

HOUR = timedelta(hours=1)
DOCS = Path(__file__).parents[2] / "docs" / "digest.md"
OK = Scripted(body_text="ok")
BUSY = Scripted(status=503, headers={"Retry-After": "1"})


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[DeliveryRig]:
    """A database in which every week but 2026-W45 is complete, with one webhook."""
    place = local_place(tmp_path)
    await fill(place.writing)
    with Replay() as targets:
        targets.always(f"{WEBHOOK_PATH}*", OK)
        targets.always(f"{SLACK_PATH}*", OK)
        yield DeliveryRig(place.writing, targets).with_deliveries(delivery_toml())


def slack(rig: DeliveryRig) -> DeliveryRig:
    return rig.with_deliveries(delivery_toml(to="slack"), secrets=rig.slack_secrets)


def header(request: Request, name: str) -> str:
    return {key.lower(): value for key, value in request.headers.items()}[name.lower()]


async def test_a_complete_week_is_sent_on_monday_and_never_again(rig: DeliveryRig) -> None:
    first = await rig.run()
    assert (first.sent, [row.state for row in first.rows]) == (1, [DeliveryState.SENT])
    for hours in (1, 24, 48, 140):
        assert (await rig.at(MONDAY + hours * HOUR).run()).rows == ()
    [request] = rig.targets.requests
    assert (await rig.row()).digest_id == json.loads(request.body)["digest_id"]
    row = await rig.row()
    assert (row.state, row.attempts, row.period) == (DeliveryState.SENT, 1, "2026-W47")


async def test_a_run_in_which_nothing_is_due_changes_nothing(rig: DeliveryRig) -> None:
    early = rig.at(MONDAY - HOUR)
    async with LanceDBReader.open(rig.settings) as reader:
        before = await reader.table_versions()
        report = await early.run()
        assert await reader.table_versions() == before
    assert (report.rows, report.run, rig.targets.requests) == ((), None, [])
    assert await rig.runs() == []


async def test_a_run_that_sends_is_in_the_history(rig: DeliveryRig) -> None:
    await rig.run()
    [run] = await rig.runs()
    assert (run.status, run.rows_updated, run.finished_at) == (RunStatus.SUCCESS, 1, MONDAY)
    assert (await rig.row()).ingestion_run_id == run.ingestion_run_id


async def test_an_incomplete_week_waits_until_wednesday_and_then_says_what_is_missing(
    rig: DeliveryRig,
) -> None:
    waits = await rig.at(INCOMPLETE_MONDAY).run()
    [note] = waits.notes
    assert "2026-W45 to webhook waits for 1 of 2 series, until 2026-11-11 07:00 UTC" in note
    assert (waits.rows, rig.targets.requests) == ((), [])
    sent = await rig.at(INCOMPLETE_MONDAY + TWO_DAYS).run()
    assert sent.sent == 1
    body = json.loads(rig.targets.requests[0].body)
    assert not body["is_complete"]
    assert "not complete" in body["first_line"]


async def test_an_incomplete_digest_that_was_sent_is_not_sent_again_when_it_is_complete(
    rig: DeliveryRig,
) -> None:
    wednesday = rig.at(INCOMPLETE_MONDAY + TWO_DAYS)
    await wednesday.run()
    async with LanceDBStore.open(rig.settings) as store:
        day = observed(RUST, MISSING_DAY, MISSING_DAY, 70, SourceWindow.DAY, NOON)
        await write(store, [day])
    assert (await wednesday.at(wednesday.now + HOUR).run()).rows == ()
    assert len(rig.targets.requests) == 1


async def test_a_new_installation_sends_no_empty_digest_and_the_real_one_once_it_has_numbers(
    tmp_path: Path,
) -> None:
    place = local_place(tmp_path)
    async with LanceDBStore.open(place.writing) as store:
        await store.create_tables()
    with Replay() as targets:
        targets.always(f"{WEBHOOK_PATH}*", OK)
        new = DeliveryRig(place.writing, targets, MONDAY + TWO_DAYS).with_deliveries(
            delivery_toml(products=None)
        )
        report = await new.run()
        assert (targets.requests, await new.rows()) == ([], [])
        assert report.notes == (
            "team receives nothing yet: no series is known. Fix: run `community-metrics refresh`.",
        )
        await fill(place.writing)
        assert (await new.at(new.now + HOUR).run()).sent == 1
        assert "no series is known" not in json.loads(targets.requests[0].body)["first_line"]


async def test_a_webhook_gets_a_signature_of_its_body_and_a_timestamp(rig: DeliveryRig) -> None:
    await rig.run()
    [request] = rig.targets.requests
    timestamp = header(request, TIMESTAMP)
    signed = hmac.new(KEY.encode(), f"{timestamp}.".encode() + request.body, hashlib.sha256)
    assert timestamp == str(int(MONDAY.timestamp()))
    assert header(request, SIGNATURE) == f"v1={signed.hexdigest()}"


async def test_every_attempt_of_a_delivery_has_one_idempotency_key(rig: DeliveryRig) -> None:
    rig.targets.script(WEBHOOK_PATH, BUSY, Scripted(close=True))
    report = await rig.run()
    assert report.sent == 1
    keys = [header(request, IDEMPOTENCY_KEY) for request in rig.targets.requests]
    assert len(keys) == 3
    assert len(set(keys)) == 1


async def test_a_target_that_limits_requests_gets_the_wait_that_it_demands(rig: DeliveryRig) -> None:
    rig.targets.script(WEBHOOK_PATH, Scripted(status=429, headers={"Retry-After": "20"}))
    report = await rig.run()
    assert report.sent == 1
    assert (await rig.row()).last_attempt_at >= MONDAY + timedelta(seconds=20)


async def test_a_longer_wait_is_left_to_a_later_run(rig: DeliveryRig) -> None:
    rig.targets.script(WEBHOOK_PATH, Scripted(status=429, headers={"Retry-After": "10000"}))
    await rig.run()
    assert len(rig.targets.requests) == 1
    assert (await rig.at(MONDAY + 2 * HOUR).run()).rows == ()
    assert (await rig.at(MONDAY + 3 * HOUR).run()).sent == 1


async def test_a_dead_target_is_a_notice_and_delays_no_other(rig: DeliveryRig) -> None:
    secrets = {**rig.webhook_secrets, "CM_DELIVERY_URL_DEAD": "http://127.0.0.1:1/x-secret-path"}
    both = rig.with_deliveries(delivery_toml("dead", "slack"), delivery_toml(), secrets=secrets)
    report = await both.run()
    assert report.sent == 1
    assert report.run is not None
    assert report.run.status is RunStatus.SUCCESS
    [text] = [one for one in report.sentences if one.startswith("dead")]
    assert "was not sent: the target cannot be reached (ConnectError)" in text
    assert "The next attempt is at 2026-11-23 08:05 UTC" in text


async def test_a_target_that_stays_dead_is_given_up_after_48_hours_and_named(rig: DeliveryRig) -> None:
    rig.targets.always(WEBHOOK_PATH, BUSY)
    hours = (*range(6), 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 49, 60)
    rows = {hour: (await rig.at(MONDAY + hour * HOUR).run()).rows for hour in hours}
    tried = [hour for hour, found in rows.items() if found]
    assert tried == [0, 1, 2, 4, 8, 16, 32, 48]
    assert len(rig.targets.requests) == 3 * len(tried)
    row = await rig.row()
    assert (row.state, row.next_attempt_at, row.attempts) == (DeliveryState.FAILED, None, len(tried))
    assert "`community-metrics deliver --again team 2026-W47` sends it" in delivery_sentence(row)


async def test_a_webhook_whose_errors_do_not_say_what_arrived_is_tried_again_and_called_unknown_at_last(
    rig: DeliveryRig,
) -> None:
    rig.targets.always(WEBHOOK_PATH, Scripted(status=502))
    [first] = (await rig.run()).rows
    assert (first.state, first.next_attempt_at is not None) == (DeliveryState.FAILED, True)
    assert "may have arrived: the target returned 502. The next attempt" in delivery_sentence(first)
    await rig.at(MONDAY + 48 * HOUR).run()
    assert len({header(request, IDEMPOTENCY_KEY) for request in rig.targets.requests}) == 1
    assert (await rig.row()).state is DeliveryState.UNKNOWN


async def test_a_final_refusal_is_not_repeated(rig: DeliveryRig) -> None:
    rig.targets.always(WEBHOOK_PATH, Scripted(status=404))
    report = await rig.run()
    assert len(rig.targets.requests) == 1
    [text] = report.sentences
    assert "the target returned 404. Fix: check CM_DELIVERY_URL_TEAM" in text
    assert "`community-metrics deliver --again team 2026-W47` sends it" in text
    assert (await rig.at(MONDAY + 5 * HOUR).run()).rows == ()


async def test_a_refusal_after_a_lost_response_is_called_unknown(rig: DeliveryRig) -> None:
    rig.targets.script(WEBHOOK_PATH, Scripted(close=True), Scripted(status=404))
    [row] = (await rig.run()).rows
    assert (row.state, row.next_attempt_at) == (DeliveryState.UNKNOWN, None)
    assert "may have arrived: the target returned 404" in delivery_sentence(row)


async def test_what_was_sent_stays_recorded_where_the_target_refuses_it_the_second_time(
    rig: DeliveryRig,
) -> None:
    await rig.run()
    sent = await rig.row()
    rig.targets.always(WEBHOOK_PATH, Scripted(status=404))
    report = await rig.at(MONDAY + HOUR).run(again=("team", "2026-W47"))
    assert [row.state for row in report.rows] == [DeliveryState.FAILED]
    assert await rig.row() == sent


async def test_a_redirect_is_not_followed(rig: DeliveryRig) -> None:
    rig.targets.script(WEBHOOK_PATH, Scripted(status=302, headers={"Location": f"{rig.targets.origin}/else"}))
    report = await rig.run()
    assert rig.targets.paths == [WEBHOOK_PATH]
    assert "it redirects, which is not followed" in report.sentences[0]


# what may have arrived


async def test_slack_gets_no_second_message_where_its_response_was_lost(rig: DeliveryRig) -> None:
    rig.targets.script(SLACK_PATH, Scripted(close=True))
    report = await slack(rig).run()
    assert [row.state for row in report.rows] == [DeliveryState.UNKNOWN]
    assert "run `community-metrics deliver --again team 2026-W47`" in report.sentences[0]
    for hours in (1, 30):
        assert (await slack(rig).at(MONDAY + hours * HOUR).run()).rows == ()
    assert len(rig.targets.requests) == 1


async def test_slack_gets_no_second_message_after_an_error_of_a_gateway_that_may_have_passed_it_on(
    rig: DeliveryRig,
) -> None:
    rig.targets.always(SLACK_PATH, Scripted(status=504))
    report = await slack(rig).run()
    assert [row.state for row in report.rows] == [DeliveryState.UNKNOWN]
    assert "may have arrived: the target returned 504" in report.sentences[0]
    for hours in (1, 2, 30):
        assert (await slack(rig).at(MONDAY + hours * HOUR).run()).rows == ()
    assert len(rig.targets.requests) == 1


@pytest.mark.parametrize("to", ["slack", "email"])
async def test_what_a_killed_run_was_sending_is_called_unknown_and_sent_by_a_person_only(
    rig: DeliveryRig, to: str
) -> None:
    await interrupted(rig)
    mail: dict[str, Any] = (
        {"sender": "a@example.org", "receivers": ["b@example.org"], "via": "ses"} if to == "email" else {}
    )
    target = rig.with_deliveries(delivery_toml(to=to, **mail), secrets={} if mail else rig.slack_secrets)
    report = await target.run()
    assert [row.state for row in report.rows] == [DeliveryState.UNKNOWN]
    assert "was killed before it recorded the outcome" in report.sentences[0]
    assert rig.targets.requests == []
    assert (await target.at(MONDAY + HOUR).run()).rows == ()


async def test_a_webhook_gets_what_a_killed_run_was_sending_with_the_same_key(rig: DeliveryRig) -> None:
    await rig.run()
    [request] = rig.targets.requests
    async with LanceDBStore.open(rig.settings) as store:
        await store.record_delivery(replace(await rig.row(), state=DeliveryState.SENDING))
    await rig.at(MONDAY + HOUR).run()
    assert header(rig.targets.requests[1], IDEMPOTENCY_KEY) == header(request, IDEMPOTENCY_KEY)
    assert rig.targets.requests[1].body == request.body
    assert (await rig.row()).state is DeliveryState.SENT


async def test_a_person_sends_again_what_was_sent_with_another_key(rig: DeliveryRig) -> None:
    await rig.run()
    report = await rig.at(MONDAY + HOUR).run(again=("team", "2026-W47"))
    assert report.sent == 1
    first, second = rig.targets.requests
    assert first.body == second.body
    assert header(first, IDEMPOTENCY_KEY) != header(second, IDEMPOTENCY_KEY)


async def test_a_person_sends_a_period_of_the_past(rig: DeliveryRig) -> None:
    report = await rig.run(again=("team", "2026-10"))
    assert report.sent == 1
    assert json.loads(rig.targets.requests[0].body)["period"] == "2026-10"


@pytest.mark.parametrize(
    ("again", "kind", "said"),
    [
        (("tem", "2026-W47"), ConfigurationError, "no .*delivery.* 'tem'; did you mean team"),
        (("team", "W47"), ConfigurationError, "'W47' is not a period"),
        (("team", "2026-W48"), PeriodNotOver, "2026-W48 is not over"),
    ],
)
async def test_a_wrong_name_sends_nothing(
    rig: DeliveryRig, again: tuple[str, str], kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said):
        await rig.run(again=again)
    assert rig.targets.requests == []


async def test_sending_again_without_a_setting_keeps_the_record_of_what_was_sent(rig: DeliveryRig) -> None:
    await rig.run()
    sent, runs = await rig.row(), await rig.runs()
    unset = rig.with_deliveries(delivery_toml(), secrets={})
    with pytest.raises(ConfigurationError, match=r"not set: CM_DELIVERY_URL_TEAM, .*Fix: set it"):
        await unset.at(MONDAY + HOUR).run(again=("team", "2026-W47"))
    assert (await rig.row(), await rig.runs()) == (sent, runs)


async def test_two_runs_at_once_send_one_message(rig: DeliveryRig) -> None:
    ended = await asyncio.gather(rig.run(), rig.run(), return_exceptions=True)
    failures = [one for one in ended if isinstance(one, BaseException)]
    assert all(isinstance(one, RunLocked) for one in failures)
    assert len(failures) < 2
    assert len(rig.targets.requests) == 1


async def test_a_run_that_another_one_overtook_sends_nothing(rig: DeliveryRig) -> None:
    async with LanceDBStore.open(rig.settings) as store:
        await store.acquire_lease("run-1", "elsewhere", 1, MONDAY, timedelta(minutes=5))
        with pytest.raises(RunLocked, match="run-1"):
            await rig.run()
    assert rig.targets.requests == []


# errors that nobody expects


async def test_a_digest_that_cannot_be_read_is_a_final_failure_and_nothing_is_sent(rig: DeliveryRig) -> None:
    rig.targets.script(SLACK_PATH, BUSY, BUSY, BUSY)
    await slack(rig).run()
    async with LanceDBStore.open(rig.settings) as store:
        [stored] = await store.digests(limit=2)
        await store._merge(DIGESTS, [replace(stored, content="{}")])  # as another version writes it
    report = await slack(rig).at(MONDAY + HOUR).run()
    assert [(row.state, row.next_attempt_at) for row in report.rows] == [(DeliveryState.FAILED, None)]
    assert "was not sent: The digest 2026-W47-p" in report.sentences[0]
    assert (
        "was stored by another version of community-metrics and cannot be read. Fix: " in report.sentences[0]
    )
    assert (await slack(rig).at(MONDAY + 2 * HOUR).run()).rows == ()
    assert len(rig.targets.requests) == 3


async def test_a_digest_that_cannot_be_read_is_still_unknown_where_a_killed_run_was_sending_it(
    rig: DeliveryRig,
) -> None:
    await rig.run()
    async with LanceDBStore.open(rig.settings) as store:
        await store.record_delivery(replace(await rig.row(), state=DeliveryState.SENDING))
        [stored] = await store.digests(limit=2)
        await store._merge(DIGESTS, [replace(stored, content="{}")])
    report = await rig.at(MONDAY + HOUR).run()
    assert [row.state for row in report.rows] == [DeliveryState.UNKNOWN]


async def test_an_unexpected_error_of_a_client_fails_the_run_and_leaves_no_delivery_in_progress(
    rig: DeliveryRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SESV2", "no address")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    mail = delivery_toml(to="email", sender="a@example.org", receivers=["b@example.org"], via="ses")
    with pytest.raises(ValueError, match="Invalid endpoint"):
        await rig.with_deliveries(mail, secrets={}).run()
    row, [run] = await rig.row(), await rig.runs()
    assert (row.state, row.message) == (
        DeliveryState.UNKNOWN,
        "an error of this program while it was sent: ValueError",
    )
    assert run.status is RunStatus.FAILED


# a run that was suspended for longer than its lease


def overtaken(after: str) -> type[LanceDBStore]:
    """Return a store whose database another run takes over after a step."""
    original = getattr(LanceDBStore, after)

    async def step(self: LanceDBStore, *args: Any, **options: Any) -> Any:
        result = await original(self, *args, **options)
        later = MONDAY + timedelta(minutes=10)
        await self.acquire_lease("other-run", "elsewhere", 1, later, timedelta(minutes=5))
        return result

    return type("Overtaken", (LanceDBStore,), {after: step})


async def test_a_run_that_lost_the_database_before_it_sends_sends_nothing(rig: DeliveryRig) -> None:
    with pytest.raises(LeaseLost, match="other-run"):
        await rig.run(store_type=overtaken("deliveries"))
    assert (rig.targets.requests, await rig.rows()) == ([], [])


async def test_a_run_that_lost_the_database_while_it_waited_does_not_send_again(rig: DeliveryRig) -> None:
    rig.targets.always(WEBHOOK_PATH, BUSY)
    with pytest.raises(LeaseLost, match="other-run"):
        await rig.run(store_type=overtaken("record_delivery"))
    assert len(rig.targets.requests) == 1
    assert (await rig.row()).state is DeliveryState.SENDING


# settings


async def test_a_target_without_its_secret_is_named_and_gets_the_digest_once_it_is_set(
    rig: DeliveryRig,
) -> None:
    report = await rig.with_deliveries(delivery_toml(), secrets={}).run()
    assert report.rows == ()
    assert report.notes == (
        (
            "team receives nothing, because this is not set: CM_DELIVERY_URL_TEAM, CM_DELIVERY_KEY_TEAM. "
            "Fix: set it as a variable or in CM_DELIVERY, as docs/digest.md says."
        ),
    )
    again = rig.with_deliveries(delivery_toml())
    assert (await again.at(MONDAY + HOUR).run()).sent == 1


async def test_a_setting_of_no_target_is_named(rig: DeliveryRig) -> None:
    secrets = {**rig.webhook_secrets, "CM_DELIVERY_URL_TAEM": "https://example.org/x"}
    report = await rig.with_deliveries(delivery_toml(), secrets=secrets).run()
    assert report.sent == 1
    assert report.notes[0].startswith(
        "CM_DELIVERY_URL_TAEM is set, and no [[delivery]] of the catalogue needs it"
    )
    assert "CM_DELIVERY_URL_TEAM" in report.notes[0]


async def test_a_dry_run_names_what_is_due_and_sends_nothing(rig: DeliveryRig) -> None:
    report = await rig.run(dry_run=True)
    assert report.due == ("team: week 2026-W47 to webhook",)
    assert (rig.targets.requests, await rig.rows(), await rig.runs()) == ([], [], [])


async def test_a_catalogue_without_targets_sends_nothing(rig: DeliveryRig) -> None:
    report = await rig.with_deliveries(secrets={}).run()
    assert (report.rows, report.notes, report.run) == ((), (), None)


async def interrupted(rig: DeliveryRig) -> None:
    """Leave the database as a run does that is killed while it sends."""
    async with LanceDBStore.open(rig.settings) as store:
        begun = {"first_attempt_at": MONDAY - HOUR, "last_attempt_at": MONDAY - HOUR}
        await store.record_delivery(a_delivery(state=DeliveryState.SENDING, **begun))


# what people see


def command(rig: DeliveryRig, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the program in a process of its own, whose clock is the machine's."""
    secrets = {name: value.get_secret_value() for name, value in rig.settings.delivery.items()}
    environment = {
        "CM_DB_PATH": rig.settings.db_path,
        "CM_CATALOG": str(rig.settings.catalog),
        "CM_DELIVERY": json.dumps(secrets),
        "PATH": "",
    }
    return run_program(words, Path(rig.settings.db_path).parent, environment, timeout_s=100)


async def test_the_command_sends_again_what_a_person_names_and_fails_if_it_does_not_arrive(
    rig: DeliveryRig,
) -> None:
    sent = command(rig, "deliver", "--again", "team", "2026-W47")
    assert sent.returncode == 0, sent.stderr
    assert sent.stdout.startswith("team: week 2026-W47 was sent at ")
    rig.targets.always(WEBHOOK_PATH, Scripted(status=410))
    refused = command(rig, "deliver", "--again", "team", "2026-W47")
    assert refused.returncode == 1
    assert "was not sent: the target returned 410" in refused.stdout
    assert WEBHOOK_PATH not in sent.stdout + sent.stderr + refused.stdout + refused.stderr
    assert command(rig, "deliver", "--again", "team", "2999-W01").returncode == 2


async def test_status_and_the_catalogue_show_the_targets(rig: DeliveryRig) -> None:
    async with LanceDBStore.open(rig.settings) as store:
        lost = a_delivery(
            state=DeliveryState.UNKNOWN, message="no response", last_attempt_at=SystemClock().now()
        )
        await store.record_delivery(lost)
    status = " ".join(command(rig, "status").stdout.split())
    assert "team: week 2026-W47 may have arrived: no response. It is not sent again by itself." in status
    shown = command(rig, "catalog", "show")
    assert "team" in shown.stdout.splitlines()[-1]
    listed = json.loads(command(rig, "catalog", "show", "--json").stdout)["deliveries"]
    assert listed == [
        {"id": "team", "to": "webhook", "digests": ["week"], "products": ["lance"], "visibility": "public"}
    ]


async def test_what_did_not_arrive_is_shown_until_it_is_sent_or_its_period_ended_five_weeks_ago(
    tmp_path: Path,
) -> None:
    month = a_delivery(
        grain=Grain.MONTH, period="2026-10", state=DeliveryState.UNKNOWN, last_attempt_at=MONDAY - HOUR
    )
    old = replace(month, period="2026-09", state=DeliveryState.FAILED)
    week = a_delivery(state=DeliveryState.SENT, last_attempt_at=MONDAY)
    place = local_place(tmp_path)
    product = '[[product]]\nid = "lance"\nname = "Lance"\n'
    content = product + delivery_toml() + delivery_toml("board")
    targets = parse_catalog(content.encode(), DOCS).deliveries
    async with LanceDBStore.open(place.writing) as store:
        await store.create_tables()
        for row in (old, month, week):
            await store.record_delivery(row)
        late = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(weeks=5)

        async def shown(now: datetime) -> list[tuple[StoredDelivery, ...]]:
            return [one.rows for one in await load_targets(store, targets, now)]

        assert await shown(MONDAY) == [(week, month), ()]
        assert await shown(late - HOUR) == [(week, month), ()]
        assert await shown(late) == [(week,), ()]
        await store.record_delivery(replace(month, state=DeliveryState.SENT))
        assert await shown(MONDAY) == [(week,), ()]


async def status_of(rig: DeliveryRig, **headers: str) -> list[dict[str, Any]] | None:
    """Return what the API says of deliveries at the rig's time."""
    async for api in serving(rig.settings, clock=FakeClock(rig.now)):
        response = await api.get("status", headers=headers)
        assert response.status_code == 200
        for secret in (WEBHOOK_PATH, SLACK_PATH, KEY, rig.targets.origin):
            assert secret not in response.text
        found: list[dict[str, Any]] | None = response.json()["deliveries"]
    return found


def with_token(rig: DeliveryRig) -> tuple[DeliveryRig, dict[str, str]]:
    """Return the rig whose API knows the team by a token, and that token's header."""
    token = new_token()
    changed = {"api_token_hashes": (token_hash(token),), "public_read": True}
    guarded = replace(rig, settings=rig.settings.model_copy(update=changed))
    return guarded, {"authorization": f"Bearer {token}"}


async def test_the_status_has_the_last_delivery_of_a_target_and_when_a_failed_one_is_tried_again(
    rig: DeliveryRig,
) -> None:
    rig, team = with_token(rig)
    rig.targets.always(f"{WEBHOOK_PATH}*", Scripted(status=500, body_text=f"no such path {WEBHOOK_PATH}"))
    await rig.run()
    [target] = await status_of(rig, **team) or []
    last = target.pop("last")
    others: dict[str, Any] = {"not_arrived": [], "waiting": [], "never_sent": []}
    assert target == {"delivery_id": "team", "to": "webhook", **others}
    assert (last["state"], last["period"], last["attempts"]) == ("failed", "2026-W47", 1)
    assert last["next_attempt_at"].startswith("2026-11-23T08:")
    assert (last["may_have_arrived"], last["message"]) == (True, "the target returned 500")

    rig.targets.always(f"{WEBHOOK_PATH}*", OK)
    rig = rig.at(MONDAY + HOUR)
    await rig.run()
    [target] = await status_of(rig, **team) or []
    assert (target["last"]["state"], target["last"]["attempts"]) == ("sent", 2)
    assert (target["last"]["next_attempt_at"], target["last"]["message"]) == (None, None)


async def test_the_status_the_log_and_the_table_have_no_address_of_an_e_mail(rig: DeliveryRig) -> None:
    ada, sender = "ada@example.org", "metrics@example.org"
    fields: dict[str, Any] = {"sender": sender, "receivers": [ada, "team@example.org"], "via": "smtp"}
    with mailbox() as box, structlog.testing.capture_logs() as lines:
        rig, team = with_token(
            rig.with_deliveries(delivery_toml(to="email", **fields), secrets={"CM_SMTP_URL": box.url})
        )
        box.refusals["DATA"] = [f"554 5.7.1 {ada} may not get mail from {sender}"]
        await rig.run()
        refused = await status_of(rig, **team)
        stored = [(await rig.row()).message]
        box.refusals[f"RCPT {ada}"] = ["550 no such user"]
        await rig.run(again=("team", "2026-W47"))
        sent = await status_of(rig, **team)
        stored.append((await rig.row()).message)
    said = "receiver 1 of 2 may not get mail from the sender"
    assert [message for message in stored if message and "receiver 1 of 2" in message] == stored
    assert said in str(refused)
    assert "the server refuses receiver 1 of 2" in str(sent)
    assert "@example.org" not in str((refused, sent, stored, lines))


async def test_the_status_says_which_digest_waits_and_until_when(rig: DeliveryRig) -> None:
    rig, team = with_token(rig.at(INCOMPLETE_MONDAY))
    await rig.run()
    [target] = await status_of(rig, **team) or []
    waiting = [{"grain": "week", "period": "2026-W45", "final_at": "2026-11-11T07:00:00Z"}]
    assert (target["last"], target["waiting"]) == (None, waiting)


async def test_what_no_run_tried_when_it_was_due_is_a_warning_and_stays_one_when_it_is_due_no_more(
    rig: DeliveryRig,
) -> None:
    """The target lacks its setting, so every run passes it over."""
    rig = rig.with_deliveries(delivery_toml(to="slack"), secrets={})
    catalog = load_catalog(rig.settings.catalog)
    final = datetime(2026, 11, 25, 7, tzinfo=UTC)

    async def said(now: datetime) -> tuple[list[str], list[str]]:
        """Return what waits and was never sent, as `status` says it, and the warnings of `doctor`."""
        assert (await rig.at(now).run()).rows == ()
        async with LanceDBReader.open(rig.settings) as reader:
            [target] = await load_targets(reader, catalog.deliveries, now)
        checks = await last_delivery_checks(rig.settings, catalog, FakeClock(now))
        assert {check.verdict for check in checks} <= {Verdict.WARN}
        waits = [waiting_sentence("team", due, now) for due in target.waiting]
        return waits + [never_sent_sentence("team", one) for one in target.never_sent], [
            f"{check.detail} Fix: {check.fix}." for check in checks
        ]

    never = "team: week 2026-W{} was never sent: no run tried it in the 7 days after its end"
    early, warned = await said(MONDAY)
    assert early[0].startswith("team: week 2026-W47 is due, and no run has sent it yet. A run sends it once")
    assert warned == early[1:]
    assert early[1].startswith(never.format(46))

    soon, warned = await said(final)
    assert soon[0] == "team: week 2026-W47 is due since 2026-11-25 07:00 UTC; the next run sends it as it is."
    assert warned == soon[1:]

    late, warned = await said(final + 3 * TWO_DAYS / 2)
    assert warned == late
    assert late[0].startswith("team: week 2026-W47 was due since 2026-11-25 07:00 UTC, complete or not, and")
    assert "Fix: run `community-metrics deliver`: it sends it, or says what is missing." in late[0]

    past, warned = await said(MONDAY + timedelta(days=7))
    assert warned == past[1:]
    assert past[1].startswith(never.format(47))
    assert past[1].endswith("Fix: run `community-metrics deliver --again team 2026-W47`, which sends it.")


async def test_what_was_never_sent_is_named_for_five_weeks_and_not_from_before_the_first_delivery(
    rig: DeliveryRig,
) -> None:
    rig, team = with_token(rig)
    late = datetime(2026, 12, 27, tzinfo=UTC)

    async def never_sent(now: datetime) -> list[str]:
        [target] = await status_of(rig.at(now), **team) or []
        return [one["period"] for one in target["never_sent"]]

    await rig.at(MONDAY - timedelta(days=7)).run()
    assert await never_sent(MONDAY) == []
    assert await never_sent(late) == ["2026-W50", "2026-W49", "2026-W48", "2026-W47"]
    await rig.at(late).run(again=("team", "2026-W47"))
    assert await never_sent(late) == ["2026-W50", "2026-W49", "2026-W48"]
    assert await never_sent(late + timedelta(days=8)) == ["2026-W52", "2026-W51", "2026-W50", "2026-W49"]


async def test_deliveries_are_the_teams_alone(rig: DeliveryRig) -> None:
    await rig.run()
    assert await status_of(rig) is None
    guarded, team = with_token(rig)
    assert await status_of(guarded) is None
    assert len(await status_of(guarded, **team) or []) == 1


async def test_doctor_warns_of_a_month_that_did_not_arrive_also_when_the_week_was_sent(
    rig: DeliveryRig,
) -> None:
    month = {"grain": Grain.MONTH, "period": "2026-10"}
    async with LanceDBStore.open(rig.settings) as store:
        await store.record_delivery(
            a_delivery(**month, state=DeliveryState.UNKNOWN, last_attempt_at=MONDAY - HOUR)
        )
    await rig.run()
    checks = await last_delivery_checks(rig.settings, load_catalog(rig.settings.catalog), FakeClock(MONDAY))
    assert [(check.verdict, check.detail.partition(" (")[0][:24]) for check in checks] == [
        (Verdict.OK, "team: week 2026-W47 was "),
        (Verdict.WARN, "team: month 2026-10 may "),
    ]


async def test_what_did_not_arrive_is_a_warning_in_the_log(rig: DeliveryRig) -> None:
    rig.targets.script(WEBHOOK_PATH, Scripted(status=404))
    with structlog.testing.capture_logs() as lines:
        await rig.run()
        await rig.run(again=("team", "2026-W47"))
    levels = [line["log_level"] for line in lines if line["event"] == "delivery"]
    assert levels == ["warning", "info"]


async def test_doctor_names_a_missing_setting_and_the_last_error_without_sending(rig: DeliveryRig) -> None:
    failed = a_delivery(state=DeliveryState.FAILED, message="the target returned 404")
    async with LanceDBStore.open(rig.settings) as store:
        await store.record_delivery(failed)
    secrets = {"CM_DELIVERY_URL_TEAM": rig.webhook_secrets["CM_DELIVERY_URL_TEAM"], "CM_SMTP_URL": "smtp://x"}
    partly = rig.with_deliveries(delivery_toml(), secrets=secrets)
    catalog = load_catalog(partly.settings.catalog)
    checks = [*setting_checks(partly.settings, catalog)]
    checks += await last_delivery_checks(partly.settings, catalog, FakeClock(MONDAY))
    assert [(check.verdict, check.detail.split(";")[0]) for check in checks] == [
        (Verdict.FAIL, "team (webhook) receives nothing: CM_DELIVERY_KEY_TEAM is not set"),
        (Verdict.FAIL, "CM_SMTP_URL is set, and no [[delivery]] of the catalogue needs it"),
        (Verdict.WARN, "team: week 2026-W47 was not sent: the target returned 404. It is not tried again"),
    ]
    assert rig.targets.requests == []


async def test_the_example_of_the_docs_accepts_our_requests_and_no_other(
    rig: DeliveryRig,
) -> None:
    [example] = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(example, names)  # noqa: S102  what the page tells people to run
    names["time"] = SimpleNamespace(time=lambda: MONDAY.timestamp() + 60)
    accepts = names["is_from_community_metrics"]
    await rig.run()
    [request] = rig.targets.requests
    sent = {name: header(request, name) for name in (TIMESTAMP, SIGNATURE)}
    assert accepts(sent, request.body, KEY)
    assert not accepts(sent, request.body + b" ", KEY)
    assert not accepts(sent, request.body, "another key")
    assert not accepts({**sent, TIMESTAMP: str(int(MONDAY.timestamp()) - 900)}, request.body, KEY)


def test_the_catalogue_of_the_docs_is_valid() -> None:
    text = DOCS.read_text(encoding="utf-8")
    [block] = [one for one in re.findall(r"```toml\n(.*?)```", text, re.DOTALL) if "[[delivery]]" in one]
    content = f'[[product]]\nid = "lance"\nname = "Lance"\n{block}'.encode()
    assert [one.id for one in parse_catalog(content, DOCS).deliveries] == ["team", "board", "wiki"]
