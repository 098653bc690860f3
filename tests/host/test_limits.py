"""nginx with the shipped limits: large, slow and many requests."""

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
from tests.host.raw import connection, read_until_closed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.host.box import Box
    from tests.host.world import World

API = "community-metrics-api"


# large and slow requests


def test_a_large_body_is_rejected_before_it_arrives(world: World, box: Box) -> None:
    answer = world.request("GET", DEFINITIONS, content=b"x" * 70_000)

    assert problem_of(answer) == (413, "request-too-large")
    assert world.request("POST", DEFINITIONS, content=b"x" * 1_000_000).status_code == 405


def test_a_long_url_and_a_long_header_are_rejected(world: World, box: Box) -> None:
    assert problem_of(world.get(f"{DEFINITIONS}?{'x' * 9_000}")) == (414, "request-too-large")
    assert problem_of(world.get(DEFINITIONS, headers={"X-Long": "x" * 9_000})) == (400, "bad-request")


@pytest.fixture(scope="module")
def slow_clients(world: World, box: Box) -> Iterator[dict[str, Future[tuple[bytes, float]]]]:
    """Clients that never send the rest of a request, all at the same time: the response, and the seconds."""
    start = f"GET {HEALTH} HTTP/1.1\r\nHost: {API_HOST}\r\n"
    clients = {
        "headers": (443, start),
        "headers over http": (80, start),
        "body": (443, f"{start}Content-Length: 100\r\n\r\nx"),
    }
    with ThreadPoolExecutor(len(clients)) as slow:
        yield {
            name: slow.submit(hold, world, CLIENTS[1], port, text) for name, (port, text) in clients.items()
        }


@pytest.mark.parametrize("client", ["headers", "headers over http"])
def test_a_connection_with_slow_headers_is_closed(
    slow_clients: dict[str, Future[tuple[bytes, float]]], client: str
) -> None:
    received, after_s = slow_clients[client].result()

    assert 3 < after_s < 8
    assert received == b"" or received.startswith(b"HTTP/1.1 408 ")


def test_a_connection_without_its_announced_body_is_closed(
    slow_clients: dict[str, Future[tuple[bytes, float]]],
) -> None:
    received, after_s = slow_clients["body"].result()

    assert after_s < 8
    assert b" 200 " not in received.partition(b"\r\n")[0]


def test_slow_clients_do_not_delay_others(world: World, box: Box) -> None:
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
    """Hold a connection with half a request; return the response and the seconds until it was closed."""
    with connection(world, port, source=source) as caller:
        caller.sendall(text.encode())
        return read_until_closed(caller)


# many requests


def test_a_client_beyond_the_limit_gets_429_and_others_are_served(world: World, box: Box) -> None:
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
def test_rejected_requests_without_a_limit_are_not_logged(
    world: World, box: Box, request_: dict[str, object], status: int
) -> None:
    with flooding(world, CLIENTS[19]) as client:
        before = lines_of_nginx(box)
        named = {**request_, "extensions": {"sni_hostname": API_HOST}}
        outcomes = {client.request(**named).status_code for _ in range(100)}  # type: ignore[arg-type]  # mixed
        time.sleep(1)

    assert outcomes == {status}
    assert lines_of_nginx(box) - before < 10  # there may be other requests


def lines_of_nginx(box: Box) -> int:
    return int(box.succeeds("journalctl --sync && journalctl --quiet --output=cat --unit=nginx | wc -l"))


def test_an_allowed_origin_can_read_a_429_response(world: World, box: Box) -> None:
    with flooding(world, CLIENTS[17]) as client:
        headers = {"Origin": PAGE}
        answers = (client.get(HEALTH, headers=headers) for _ in range(150))
        refused = next(answer for answer in answers if answer.status_code == 429)
        foreign = client.get(HEALTH, headers={"Origin": "https://example.net"})

    assert refused.headers["access-control-allow-origin"] == PAGE
    assert "Retry-After" in refused.headers["access-control-expose-headers"]
    assert "access-control-allow-origin" not in foreign.headers


def test_one_address_can_have_thirty_requests_at_the_same_time(world: World, box: Box) -> None:
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


def test_the_addresses_of_one_ipv6_network_are_one_client(box: Box) -> None:
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

    # a second address of the same network has only the requests allowed since then
    assert min(passed[0], passed[2], passed[3]) >= 40
    assert max(passed[1], passed[4]) < 40


@contextmanager
def flooding(world: World, source: str) -> Iterator[httpx.Client]:
    """Yield a client with one open connection."""
    transport = httpx.HTTPTransport(verify=world.trust(), local_address=source)
    base = f"https://{API_ADDRESS}"
    with (
        world.clients,
        httpx.Client(transport=transport, base_url=base, headers={"Host": API_HOST}, timeout=20) as client,
    ):
        client.get(HEALTH, extensions={"sni_hostname": API_HOST}).raise_for_status()
        yield client
