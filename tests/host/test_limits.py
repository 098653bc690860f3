"""The edge under bad manners: large, slow and many requests. The limits are those that are shipped."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.host.addresses import API_ADDRESS, CLIENTS
from tests.host.answers import DEFINITIONS, HEALTH, PAGE, problem_of
from tests.host.deployment import API_HOST
from tests.host.raw import connection, said_until_closed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.host.box import Box
    from tests.host.world import World

API = "community-metrics-api"


# sizes and slowness


def test_a_large_body_is_refused_before_it_has_come(world: World, box: Box) -> None:
    answer = world.request("GET", DEFINITIONS, content=b"x" * 70_000)

    assert problem_of(answer) == (413, "request-too-large")
    assert world.request("POST", DEFINITIONS, content=b"x" * 1_000_000).status_code == 405


def test_a_long_address_and_a_long_header_are_refused(world: World, box: Box) -> None:
    assert problem_of(world.get(f"{DEFINITIONS}?{'x' * 9_000}")) == (414, "request-too-large")
    assert problem_of(world.get(DEFINITIONS, headers={"X-Long": "x" * 9_000})) == (400, "bad-request")


@pytest.fixture(scope="module")
def slow_callers(world: World, box: Box) -> Iterator[dict[str, Future[tuple[bytes, float]]]]:
    """Callers who never send the rest: what they are told, and after how many seconds, all at once."""
    begun = f"GET {HEALTH} HTTP/1.1\r\nHost: {API_HOST}\r\n"
    callers = {
        "headers": (443, begun),
        "headers in the open": (80, begun),
        "body": (443, f"{begun}Content-Length: 100\r\n\r\nx"),
    }
    with ThreadPoolExecutor(len(callers)) as slow:
        yield {
            name: slow.submit(hold, world, CLIENTS[1], port, text) for name, (port, text) in callers.items()
        }


@pytest.mark.parametrize("caller", ["headers", "headers in the open"])
def test_who_sends_his_headers_slowly_is_hung_up_on(
    slow_callers: dict[str, Future[tuple[bytes, float]]], caller: str
) -> None:
    said, after_s = slow_callers[caller].result()

    assert 3 < after_s < 8
    assert said == b"" or said.startswith(b"HTTP/1.1 408 ")


def test_who_never_sends_the_body_he_announced_is_hung_up_on(
    slow_callers: dict[str, Future[tuple[bytes, float]]],
) -> None:
    said, after_s = slow_callers["body"].result()

    assert after_s < 8
    assert b" 200 " not in said.partition(b"\r\n")[0]


def test_slow_callers_do_not_keep_others_waiting(world: World, box: Box) -> None:
    with ThreadPoolExecutor(60) as slow:
        held = [slow.submit(hold, world, CLIENTS[10 + number % 5]) for number in range(60)]
        time.sleep(1)
        began = time.monotonic()
        assert world.get(HEALTH).status_code == 200
        took_s = time.monotonic() - began
        assert all(other.result()[1] < 8 for other in held)

    assert took_s < 2


def hold(
    world: World, source: str, port: int = 443, text: str = f"GET {HEALTH} HTTP/1.1\r\n"
) -> tuple[bytes, float]:
    """Keep a connection with half a request; return what is said, and how many seconds it was borne."""
    with connection(world, port, source=source) as caller:
        caller.sendall(text.encode())
        return said_until_closed(caller)


# floods


def test_a_flood_is_told_to_wait_and_others_are_served(world: World, box: Box) -> None:
    with flooding(world, CLIENTS[15]) as client:
        answers = [client.get(HEALTH) for _ in range(150)]
        other = world.get(HEALTH, source=CLIENTS[16])

    outcomes = Counter(answer.status_code for answer in answers)
    assert set(outcomes) == {200, 429}
    assert outcomes[200] >= 40
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert problem_of(refused) == (429, "too-many-requests")
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["cache-control"] == "no-store"
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"method": "POST", "url": HEALTH}, 405),
        ({"method": "GET", "url": HEALTH, "content": b"x" * 5_000}, 413),
        ({"method": "GET", "url": f"{HEALTH}?{'x' * 9_000}"}, 414),
        ({"method": "GET", "url": HEALTH, "headers": {"Host": API_HOST, "X-Long": "x" * 9_000}}, 400),
        ({"method": "GET", "url": f"http://{API_ADDRESS}/"}, 301),
        ({"method": "GET", "url": f"http://{API_ADDRESS}/.well-known/acme-challenge/none"}, 404),
    ],
)
def test_a_flood_that_no_limit_meets_leaves_no_lines(
    world: World, box: Box, request_: dict[str, object], status: int
) -> None:
    with flooding(world, CLIENTS[19]) as client:
        before = lines_of_nginx(box)
        named = {**request_, "extensions": {"sni_hostname": API_HOST}}
        outcomes = {client.request(**named).status_code for _ in range(100)}  # type: ignore[arg-type]  # mixed
        time.sleep(1)

    assert outcomes == {status}
    assert lines_of_nginx(box) - before < 10  # others may be asking too


def lines_of_nginx(box: Box) -> int:
    return int(box.succeeds("journalctl --sync && journalctl --quiet --output=cat --unit=nginx | wc -l"))


def test_a_page_may_read_that_it_must_wait(world: World, box: Box) -> None:
    with flooding(world, CLIENTS[17]) as client:
        headers = {"Origin": PAGE}
        answers = (client.get(HEALTH, headers=headers) for _ in range(150))
        refused = next(answer for answer in answers if answer.status_code == 429)
        foreign = client.get(HEALTH, headers={"Origin": "https://example.net"})

    assert refused.headers["access-control-allow-origin"] == PAGE
    assert "Retry-After" in refused.headers["access-control-expose-headers"]
    assert "access-control-allow-origin" not in foreign.headers


def test_one_address_has_thirty_requests_under_way_at_most(world: World, box: Box) -> None:
    ask = partial(world.get, HEALTH, source=CLIENTS[18], timeout=30)
    box.succeeds(f"systemctl kill --signal=STOP {API}")
    try:
        with ThreadPoolExecutor(36) as callers:
            asked = [callers.submit(ask) for _ in range(36)]
            time.sleep(3)
            box.succeeds(f"systemctl kill --signal=CONT {API}")
            outcomes = Counter(one.result().status_code for one in asked)
    finally:
        box.run(f"systemctl kill --signal=CONT {API}")

    assert outcomes == {200: 30, 429: 6}


def test_the_addresses_of_one_ipv6_network_are_one_caller(box: Box) -> None:
    addresses = ("fd00:0:0:1::1", "fd00:0:0:1:a:b:c:d", "fd00:0:0:2::1", "fd00:1::1", "fd00:1::2")
    for address in addresses:
        box.succeeds(f"ip address add {address}/64 dev lo nodad")

    passed = [
        box.succeeds(
            f"curl --silent --insecure --max-time 10 --interface {address} --resolve '{API_HOST}:443:[::1]' "
            f"--output /dev/null --write-out '%{{http_code}} ' 'https://{API_HOST}{DEFINITIONS}#[1-150]'"
        )
        .split()
        .count("200")
        for address in addresses
    ]

    # a second address of the same network has only what came back in the meantime
    assert min(passed[0], passed[2], passed[3]) >= 40
    assert max(passed[1], passed[4]) < 40


@contextmanager
def flooding(world: World, source: str) -> Iterator[httpx.Client]:
    """Give a client that asks again and again over one connection."""
    transport = httpx.HTTPTransport(verify=world.trust(), local_address=source)
    base = f"https://{API_ADDRESS}"
    with (
        world.clients,
        httpx.Client(transport=transport, base_url=base, headers={"Host": API_HOST}, timeout=20) as client,
    ):
        client.get(HEALTH, extensions={"sni_hostname": API_HOST}).raise_for_status()
        yield client
