"""A second box boots beside the first, takes the address, the first is switched off: nothing is lost.

The order is CloudFormation's: the new box signals success, the lasting address moves to it, the old box goes.
The old one is in the middle of a run when it goes, and clients ask all the while.
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.host.addresses import API_ADDRESS
from tests.host.deployment import API_HOST
from tests.host.ledger import Ledger
from tests.host.load import Load
from tests.host.waiting import eventually
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.host.box import Box
    from tests.host.world import World

HEALTH = "/api/v1/health"
REFRESH = "community-metrics-weekly-refresh.service"
CERTIFICATE_S = 90
NOTICED_S = 15  # an API that found no tables looks for them again
RUN_S = 120
LONGEST_GAP_S = 3.0  # a move of the address takes EC2 seconds; here it takes the rehearsal's own steps
PATIENCE_S = 10  # of a client whose request was under way
SEEN_S = 3  # so long clients ask the new box alone

Values = dict[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the world and its clients see at one time."""

    values: Values
    certificate: bytes
    issued: int
    runs: dict[str, str]
    """Status by run."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """One replacement that has taken place."""

    before: Seen
    after: Seen
    load: Load
    second: Box


@pytest.fixture(scope="module")
def replacement(world: World, make_module_box: Callable[..., Box]) -> Replacement:
    first = make_module_box(installed=True)
    first.boot()
    first.take_address()
    first.succeeds(f"systemctl start --no-block {REFRESH}")
    second = make_module_box()
    second.boot()
    second.bootstrap()
    eventually(lambda: assert_newest_run(world, "success"), RUN_S)
    eventually(lambda: world.get(HEALTH).raise_for_status(), CERTIFICATE_S)
    before = eventually(lambda: look(world), NOTICED_S)
    with Load(world, HEALTH, PATIENCE_S) as load:
        replace(world, first, second)
    finish_the_run(world, second)
    return Replacement(before, look(world), load, second)


def replace(world: World, first: Box, second: Box) -> None:
    """Do what `cdk deploy` does when the new box has signalled, with a run under way on the box that goes."""
    world.registries.always("*", Scripted(hang=True))
    first.succeeds(f"systemctl start --no-block {REFRESH}")
    eventually(lambda: assert_newest_run(world, "running"), RUN_S)
    first.give_up_address()
    second.take_address()
    first.power_off()
    time.sleep(SEEN_S)


def finish_the_run(world: World, second: Box) -> None:
    """Let the registries answer again, and the new box do what its timer does next."""
    world.stop("registries")
    world.start("registries")
    eventually(lambda: second.succeeds(f"systemctl start {REFRESH}", limit_s=RUN_S), RUN_S)


def assert_newest_run(world: World, state: str) -> None:
    assert Ledger(world).runs()[0].state == state


def look(world: World) -> Seen:
    """Return what is stored, what is served, and how many certificates there have been."""
    values: Values = {}
    body = world.get("/api/v1/dashboard/weekly?weeks=520", timeout=60).raise_for_status().json()
    for metric in (metric for product in body["products"] for metric in product["metrics"]):
        for point in metric["points"]:
            if point["value"] is not None:
                values[metric["metric_id"], point["week"]] = point["value"]
    runs = {view.run.ingestion_run_id: view.state for view in Ledger(world).runs()}
    return Seen(values, served_certificate(world), world.acme.issued, runs)


def served_certificate(world: World) -> bytes:
    """Return the certificate that answers for the API's name, verified."""
    trust = world.trust()
    with (
        world.clients,
        socket.create_connection((API_ADDRESS, 443), timeout=10) as plain,
        trust.wrap_socket(plain, server_hostname=API_HOST) as secured,
    ):
        return secured.getpeercert(binary_form=True) or b""


def test_no_data_is_lost(replacement: Replacement) -> None:
    assert replacement.before.values
    assert replacement.before.values.items() <= replacement.after.values.items()


def test_the_certificate_moves_without_the_authority(replacement: Replacement) -> None:
    assert replacement.after.certificate == replacement.before.certificate
    assert replacement.after.issued == replacement.before.issued


def test_the_run_that_the_old_box_could_not_finish_is_told_and_the_new_box_completes_the_week(
    replacement: Replacement,
) -> None:
    before, after = replacement.before.runs, replacement.after.runs
    added = [state for run, state in after.items() if run not in before]  # newest first

    assert before.items() <= after.items()
    assert added[0] == "success"
    assert set(added[1:]) & {"failed", "partial", "abandoned"}


def test_no_key_stands_twice(world: World, replacement: Replacement) -> None:
    assert not any(Ledger(world).duplicate_keys().values())


def test_clients_notice_the_move_alone(replacement: Replacement) -> None:
    # when they began: one that was under way may hang as long as its caller is patient, for nobody tells him
    began = [answer.began for answer in replacement.load.failed()]

    assert not began or max(began) - min(began) < LONGEST_GAP_S
    assert replacement.load.outcomes["200"] > 200


def test_the_new_box_is_well(replacement: Replacement) -> None:
    assert replacement.second.succeeds("systemctl --failed --no-legend --plain") == ""
