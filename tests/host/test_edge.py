"""nginx with the shipped configuration: TLS, names, headers, methods."""

from __future__ import annotations

import re
import ssl
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.host.addresses import API_ADDRESS
from tests.host.answers import DEFINITIONS, HEALTH, PAGE, WEEKLY, problem_of
from tests.host.deployment import API_HOST
from tests.host.raw import connection, response_to
from tests.host.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.host.box import Box
    from tests.host.world import World

API = "community-metrics-api"


# TLS


def test_sslyze_finds_mozillas_intermediate_profile(world: World, box: Box, tmp_path: Path) -> None:
    root = tmp_path / "root.pem"
    root.write_text(world.acme.root, encoding="utf-8")
    command = [
        "ip", "netns", "exec", world.clients.name, sys.executable, "-m", "sslyze",
        "--certinfo_ca_file", str(root),
        "--mozilla_config=intermediate", f"{API_HOST}:443{{{API_ADDRESS}}}",
    ]  # fmt: skip
    graded = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)

    assert graded.returncode == 0, graded.stdout[-3000:] + graded.stderr
    assert "OK - Compliant" in graded.stdout


def test_tls_1_2_and_1_3_are_supported(world: World, box: Box) -> None:
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        trust = world.trust()
        trust.minimum_version = trust.maximum_version = version
        with world.clients, httpx.Client(verify=trust, timeout=10) as client:
            answer = client.get(
                f"https://{API_ADDRESS}{HEALTH}",
                headers={"Host": API_HOST},
                extensions={"sni_hostname": API_HOST},
            )
        assert answer.text == '{"status":"ok"}'


def test_another_server_name_gets_no_handshake(world: World, box: Box) -> None:
    with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"), connection(world, name="example.net"):
        pass


def test_an_unknown_host_gets_no_response(world: World, box: Box) -> None:
    request = b"GET / HTTP/1.1\r\nHost: example.net\r\n\r\n"

    assert response_to(world, request) == b""
    assert response_to(world, request, port=80) == b""


def test_http_is_redirected_to_https(world: World, box: Box) -> None:
    response = response_to(
        world, f"GET {WEEKLY} HTTP/1.0\r\nHost: {API_HOST}\r\n\r\n".encode(), port=80
    ).decode()

    assert response.startswith("HTTP/1.1 301 ")
    assert f"Location: https://{API_HOST}{WEEKLY}\r\n" in response


def test_a_challenge_is_not_redirected(world: World, box: Box) -> None:
    request = f"GET /.well-known/acme-challenge/none HTTP/1.0\r\nHost: {API_HOST}\r\n\r\n".encode()

    assert response_to(world, request, port=80).startswith(b"HTTP/1.1 404 ")


def test_it_also_serves_ipv6(box: Box) -> None:
    ask = "curl --max-time 5 --silent --fail --insecure " + " ".join(
        f"--resolve '{API_HOST}:{port}:[::1]'" for port in (80, 443)
    )

    assert box.succeeds(f"{ask} https://{API_HOST}{HEALTH}") == '{"status":"ok"}'
    redirect = box.succeeds(f"{ask} --output /dev/null --write-out '%{{redirect_url}}' http://{API_HOST}/")
    assert redirect == f"https://{API_HOST}/"


# headers


@pytest.mark.parametrize("path", [HEALTH, DEFINITIONS, "/api/v1/none"])
def test_every_response_has_each_security_header_once(world: World, box: Box, path: str) -> None:
    headers = world.get(path).headers

    assert headers.get_list("strict-transport-security") == ["max-age=63072000"]
    assert headers.get_list("x-content-type-options") == ["nosniff"]
    assert headers.get_list("referrer-policy") == ["no-referrer"]
    assert len(headers.get_list("content-security-policy")) == 1
    assert headers["server"] == "nginx"


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_a_compressed_response_has_the_same_body_and_its_weak_etag_gives_304(
    world: World, box: Box, encoding: str
) -> None:
    path = "/api/v1/dashboard/weekly?weeks=20"
    plain = world.get(path, headers={"Accept-Encoding": "identity"})
    sent = world.get(path, headers={"Accept-Encoding": encoding})

    assert "content-encoding" not in plain.headers
    assert sent.headers["content-encoding"] == encoding
    assert "Accept-Encoding" in sent.headers["vary"]
    assert sent.headers["etag"] == f"W/{plain.headers['etag']}"
    assert encoding == "br" or sent.content == plain.content
    for tag in (sent.headers["etag"], plain.headers["etag"]):
        assert world.get(path, headers={"If-None-Match": tag}).status_code == 304


def test_a_valid_request_id_is_kept_and_every_other_response_has_its_own(world: World, box: Box) -> None:
    given = world.get(DEFINITIONS, headers={"X-Request-ID": "mine-1"}).headers
    others = {world.get(DEFINITIONS).headers["x-request-id"] for _ in range(2)}

    assert given.get_list("x-request-id") == ["mine-1"]
    assert len(others) == 2
    assert re.fullmatch(
        "[0-9a-f]{32}", world.get(HEALTH, headers={"X-Request-ID": 'a"b'}).headers["x-request-id"]
    )


# methods


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "MADE-UP"])
def test_unsafe_methods_are_rejected(world: World, box: Box, method: str) -> None:
    answer = world.request(method, DEFINITIONS)

    assert problem_of(answer) == (405, "method-not-allowed")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


def test_head_and_preflight_requests_are_allowed(world: World, box: Box) -> None:
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "GET"}
    preflight = world.request("OPTIONS", DEFINITIONS, headers=asked)

    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, PAGE)
    head = world.request("HEAD", DEFINITIONS)
    assert (head.status_code, head.content) == (200, b"")
    refused = world.request("OPTIONS", DEFINITIONS, headers={**asked, "Origin": "https://example.net"})
    assert refused.status_code == 400
    assert "access-control-allow-origin" not in refused.headers


# what the API serves, through nginx


def test_a_second_request_is_served_from_the_memory_of_the_api(world: World, box: Box) -> None:
    path = "/api/v1/dashboard/weekly?weeks=8"
    first, second = world.get(path), world.get(path)

    assert second.headers["cache-status"] == "community-metrics; hit"
    assert first.content == second.content


def test_each_origin_and_each_format_has_its_own_response(world: World, box: Box) -> None:
    series = "/api/v1/series/downloads:lance:python"
    origins = [{"Origin": PAGE}, {}, {"Origin": "https://example.net"}, {"Origin": PAGE}]
    answers = [world.get(series, headers=headers) for headers in origins]
    formats = [
        world.get(series, headers={"Accept": accept})
        for accept in ("text/csv", "application/json", "text/csv")
    ]

    allowed = [answer.headers.get("access-control-allow-origin") for answer in answers]
    assert allowed == [PAGE, None, None, PAGE]
    assert [answer.headers["content-type"].partition(";")[0] for answer in formats] == [
        "text/csv", "application/json", "text/csv",
    ]  # fmt: skip


def test_while_the_api_is_stopped_a_request_gets_a_502_and_a_retry_time(world: World, box: Box) -> None:
    box.succeeds(f"systemctl stop {API}.socket {API}.service")
    try:
        dashboard, health = world.get(WEEKLY), world.get(HEALTH)
    finally:
        box.succeeds(f"systemctl start {API}.socket {API}.service")

    assert problem_of(dashboard) == problem_of(health) == (502, "service-unavailable")
    assert dashboard.headers["retry-after"] == "5"
    eventually(lambda: world.get(WEEKLY).raise_for_status(), 20)
