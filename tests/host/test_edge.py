"""What the world meets: TLS, names, methods, limits, caching. Limits and files are those that are shipped."""

from __future__ import annotations

import re
import ssl
import struct
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.host.addresses import API_ADDRESS, CLIENTS
from tests.host.deployment import API_HOST
from tests.host.raw import answer_to, connection, said_until_closed
from tests.host.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.host.box import Box
    from tests.host.world import World

API = "community-metrics-api"
HEALTH, DEFINITIONS, WEEKLY = "/api/v1/health", "/api/v1/definitions", "/api/v1/dashboard/weekly?weeks=5"
PAGE = "https://metrics.example.org"
# of an answer of the API: kept this long without a question, and this much longer while it is asked anew
FRESH_S, REVALIDATED_S = 60, 600
LIBRARY = "/usr/lib/*/libpcre2-8.so.0"  # nginx's and sshd's, not the API's
MOST_EXPOSED = {
    "nginx.service": 2.5,  # binds 80 and 443 and becomes another user
    "community-metrics-certificate.service": 1.6,  # root without capabilities, for the key's owner
    "community-metrics-logs.service": 1.2,
}


def problem_of(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body.get("request_id") in {None, answer.headers["x-request-id"]}
    return answer.status_code, body["type"].rpartition("#")[2]


def edge_cache(answer: httpx.Response) -> str:
    """Return what the edge's cache says it did, or nothing."""
    found = re.search(r"edge; ([^,]*)", answer.headers.get("cache-status", ""))
    return found[1] if found else ""


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


def test_both_versions_that_are_promised_are_spoken(world: World, box: Box) -> None:
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


def test_a_name_that_is_not_ours_gets_no_handshake(world: World, box: Box) -> None:
    with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"), connection(world, name="example.net"):
        pass


def test_an_unknown_host_gets_no_answer(world: World, box: Box) -> None:
    request = b"GET / HTTP/1.1\r\nHost: example.net\r\n\r\n"

    assert answer_to(world, request) == b""
    assert answer_to(world, request, port=80) == b""


def test_plain_http_leads_to_the_canonical_address(world: World, box: Box) -> None:
    said = answer_to(world, f"GET {WEEKLY} HTTP/1.0\r\nHost: {API_HOST}\r\n\r\n".encode(), port=80).decode()

    assert said.startswith("HTTP/1.1 301 ")
    assert f"Location: https://{API_HOST}{WEEKLY}\r\n" in said


def test_a_challenge_is_not_redirected(world: World, box: Box) -> None:
    request = f"GET /.well-known/acme-challenge/none HTTP/1.0\r\nHost: {API_HOST}\r\n\r\n".encode()

    assert answer_to(world, request, port=80).startswith(b"HTTP/1.1 404 ")


def test_it_answers_over_ipv6_too(box: Box) -> None:
    ask = "curl --max-time 5 --silent --fail --insecure " + " ".join(
        f"--resolve '{API_HOST}:{port}:[::1]'" for port in (80, 443)
    )

    assert box.succeeds(f"{ask} https://{API_HOST}{HEALTH}") == '{"status":"ok"}'
    leads_to = box.succeeds(f"{ask} --output /dev/null --write-out '%{{redirect_url}}' http://{API_HOST}/")
    assert leads_to == f"https://{API_HOST}/"


# headers


@pytest.mark.parametrize("path", [HEALTH, DEFINITIONS, "/api/v1/none"])
def test_every_answer_has_each_security_header_once(world: World, box: Box, path: str) -> None:
    headers = world.get(path).headers

    assert headers.get_list("strict-transport-security") == ["max-age=63072000"]
    assert headers.get_list("x-content-type-options") == ["nosniff"]
    assert headers.get_list("referrer-policy") == ["no-referrer"]
    assert len(headers.get_list("content-security-policy")) == 1
    assert headers["server"] == "nginx"


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_what_is_compressed_is_the_same_and_its_weak_tag_still_means_304(
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


def test_a_request_id_that_came_in_goes_out_and_a_kept_answer_has_its_own(world: World, box: Box) -> None:
    given = world.get(DEFINITIONS, headers={"X-Request-ID": "mine-1"}).headers
    others = {world.get(DEFINITIONS).headers["x-request-id"] for _ in range(2)}

    assert given.get_list("x-request-id") == ["mine-1"]
    assert len(others) == 2
    assert re.fullmatch(
        "[0-9a-f]{32}", world.get(HEALTH, headers={"X-Request-ID": 'a"b'}).headers["x-request-id"]
    )


# methods


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "MADE-UP"])
def test_no_method_passes_that_could_change_anything(world: World, box: Box, method: str) -> None:
    answer = world.request(method, DEFINITIONS)

    assert problem_of(answer) == (405, "method-not-allowed")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


def test_head_and_a_preflight_pass(world: World, box: Box) -> None:
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "GET"}
    preflight = world.request("OPTIONS", DEFINITIONS, headers=asked)

    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, PAGE)
    head = world.request("HEAD", DEFINITIONS)
    assert (head.status_code, head.content) == (200, b"")
    refused = world.request("OPTIONS", DEFINITIONS, headers={**asked, "Origin": "https://example.net"})
    assert problem_of(refused)[1] == "preflight-refused"


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


# the cache


def test_a_public_answer_is_kept_and_told_again(world: World, box: Box) -> None:
    path = "/api/v1/dashboard/weekly?weeks=8"
    first, second = world.get(path), world.get(path)

    assert (edge_cache(first), edge_cache(second)) == ("fwd=miss", "hit")
    assert first.content == second.content


@pytest.mark.parametrize("path", [HEALTH, "/api/v1/ready", "/api/v1/export/metrics.csv", "/api/v1/none"])
def test_what_must_not_be_kept_is_asked_for_each_time(world: World, box: Box, path: str) -> None:
    world.get(path)

    assert edge_cache(world.get(path)) in {"", "fwd=miss"}


def test_a_request_with_a_token_neither_gets_nor_leaves_a_kept_answer(world: World, box: Box) -> None:
    path = "/api/v1/dashboard/weekly?weeks=9"
    token = {"Authorization": "Bearer of-somebody"}
    asked = [edge_cache(world.get(path, headers=headers)) for headers in (token, {}, token)]

    assert asked == ["fwd=bypass", "fwd=miss", "fwd=bypass"]


def test_each_origin_and_each_form_has_an_answer_of_its_own(world: World, box: Box) -> None:
    series = "/api/v1/series/downloads:lance:python"
    origins = [{"Origin": PAGE}, {}, {"Origin": "https://example.net"}, {"Origin": PAGE}]
    answers = [world.get(series, headers=headers) for headers in origins]
    forms = [
        world.get(series, headers={"Accept": form}) for form in ("text/csv", "application/json", "text/csv")
    ]

    allowed = [answer.headers.get("access-control-allow-origin") for answer in answers]
    assert allowed == [PAGE, None, None, PAGE]
    assert [answer.headers["content-type"].partition(";")[0] for answer in forms] == [
        "text/csv", "application/json", "text/csv",
    ]  # fmt: skip
    assert edge_cache(answers[3]) == edge_cache(forms[2]) == "hit"


def test_many_who_ask_for_what_is_not_kept_yet_cost_the_api_one_answer(world: World, box: Box) -> None:
    path = "/api/v1/dashboard/daily?days=33"
    with ThreadPoolExecutor(8) as callers:
        asked = [callers.submit(world.get, path, source=source) for source in CLIENTS[:8]]
        bodies = {one.result().content for one in asked}
    count = box.succeeds(f"journalctl --quiet --output=cat --unit={API} | grep -c '/dashboard/daily'")

    assert len(bodies) == 1
    assert int(count) == 1


def test_a_stale_answer_is_told_at_once_while_a_new_one_is_fetched(world: World, box: Box) -> None:
    path = "/api/v1/dashboard/weekly?weeks=6"
    world.get(path)
    age(box, path, FRESH_S + 5)

    first = world.get(path)

    assert edge_cache(first) == "hit; detail=stale"
    assert "x-data-stale" not in first.headers  # nothing is wrong, it is only being renewed
    eventually(lambda: is_fresh(world.get(path)), 5)


def test_when_the_api_is_gone_what_is_kept_is_told_with_a_mark(world: World, box: Box) -> None:
    path = "/api/v1/dashboard/weekly?weeks=7"
    world.get(path)
    box.succeeds(f"systemctl stop {API}.socket {API}.service")
    try:
        age(box, path, FRESH_S + REVALIDATED_S + 5)
        kept = [world.get(path) for _ in range(3)]
        unknown = world.get("/api/v1/dashboard/weekly?weeks=11")
        health = world.get(HEALTH)
    finally:
        box.succeeds(f"systemctl start {API}.socket {API}.service")

    assert [(answer.status_code, answer.headers.get("x-data-stale")) for answer in kept] == [
        (200, "true")
    ] * 3
    assert problem_of(unknown) == problem_of(health) == (502, "service-unavailable")
    assert unknown.headers["retry-after"] == "5"
    eventually(lambda: world.get(HEALTH).raise_for_status(), 20)
    assert "x-data-stale" not in world.get(path).headers


def age(box: Box, path: str, seconds: int) -> None:
    """Let a kept answer have been kept for so much longer; its file begins with what it may be told until."""
    (kept,) = (
        file
        for file in box.file("/var/cache/nginx/answers").rglob("*")
        if file.is_file() and f"KEY: {path} " in file.read_bytes()[:2000].decode("latin-1")
    )
    content = bytearray(kept.read_bytes())
    version, fresh_until, revalidated_until, *_ = struct.unpack_from("=6q", content)
    assert version == 5, "nginx keeps its answers in another form than this test knows"
    struct.pack_into("=2q", content, 8, fresh_until - seconds, revalidated_until - seconds)
    kept.write_bytes(content)


def is_fresh(answer: httpx.Response) -> bool:
    assert edge_cache(answer) == "hit"
    return True


# the box's own files


def test_nginx_has_nothing_to_say_about_its_files(box: Box) -> None:
    done = box.run("nginx -t")

    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "nginx: the configuration file /etc/nginx/nginx.conf syntax is ok",
        "nginx: configuration file /etc/nginx/nginx.conf test is successful",
    ]


def test_systemd_has_nothing_to_say_about_the_units(box: Box) -> None:
    done = box.run(
        "cd /etc/systemd/system && systemd-analyze verify --man=no nginx.service "
        "$(ls -d community-metrics-*.service community-metrics-*.timer community-metrics-*.socket)"
    )

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("unit", MOST_EXPOSED)
def test_the_edges_units_are_as_closed_as_promised(box: Box, unit: str) -> None:
    said = box.succeeds(f"systemd-analyze security --no-pager {unit} | tail -1")
    found = re.search(r"exposure level for \S+: ([\d.]+)", said)

    assert found
    assert float(found[1]) <= MOST_EXPOSED[unit]


def test_debians_certbot_timer_is_off(box: Box) -> None:
    assert box.run("systemctl is-enabled certbot.timer").stdout == "masked\n"


# those who log in


def test_nobody_logs_in_without_a_key(box: Box) -> None:
    lines = set(box.succeeds("sshd -T").splitlines())

    assert {
        "permitrootlogin no", "passwordauthentication no", "kbdinteractiveauthentication no",
        "authenticationmethods publickey", "allowtcpforwarding no", "allowagentforwarding no",
        "allowstreamlocalforwarding no", "x11forwarding no", "permittunnel no",
    } <= lines  # fmt: skip
    tried = box.run(
        "ssh -o BatchMode=yes -o StrictHostKeyChecking=no -o ConnectTimeout=5 "
        "-o PreferredAuthentications=password,keyboard-interactive root@127.0.0.1 true"
    )
    assert "Permission denied (publickey)" in tried.stderr


def test_only_security_updates_come_by_themselves_with_a_reboot_at_night(box: Box) -> None:
    said = box.succeeds("unattended-upgrade --dry-run --verbose 2>&1", limit_s=90)
    settings = box.succeeds("apt-config dump")
    next_runs = box.succeeds(
        "systemctl show --property=TimersCalendar apt-daily.timer apt-daily-upgrade.timer"
    )

    assert "Allowed origins are: origin=Debian,codename=trixie-security,label=Debian-Security\n" in said
    assert 'Unattended-Upgrade::Automatic-Reboot "true";' in settings
    assert 'Unattended-Upgrade::Automatic-Reboot-Time "03:15";' in settings
    assert 'APT::Periodic::Unattended-Upgrade "1";' in settings
    assert re.findall(r"OnCalendar=(\S+ \S+ UTC)", next_runs) == ["*-*-* 01:00:00 UTC", "*-*-* 02:00:00 UTC"]


def test_what_runs_a_replaced_library_is_restarted_after_the_updates_and_nothing_else(box: Box) -> None:
    units = ("nginx", API, "ssh")
    pids = {unit: main_pid(box, unit) for unit in units}
    box.succeeds(f"cp --dereference {LIBRARY} /usr/lib/new && mv /usr/lib/new $(readlink -f {LIBRARY})")
    expected = {
        unit for unit in units if box.run(f"grep -q libpcre2 /proc/{pids[unit]}/maps").returncode == 0
    }

    box.succeeds("/usr/local/libexec/cm-take-up-updates")

    assert "nginx" in expected
    assert API not in expected
    assert {unit for unit in units if main_pid(box, unit) != pids[unit]} == expected
    after = box.succeeds("systemctl show --property=ExecStartPost apt-daily-upgrade.service")
    assert "path=/usr/local/libexec/cm-take-up-updates" in after


def main_pid(box: Box, unit: str) -> str:
    return box.succeeds(f"systemctl show --property=MainPID --value {unit}.service").strip()


def test_the_journal_outlives_a_reboot_and_has_a_bound(box: Box) -> None:
    shown = box.succeeds("systemd-analyze cat-config systemd/journald.conf")

    assert "SystemMaxUse=1G" in shown
    assert "/var/log/journal/" in box.succeeds("journalctl --header | grep '^File path'")
