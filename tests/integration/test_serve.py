"""`community-metrics serve` and plain uvicorn: they start, answer, or end with one message."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import sys
import time
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from starlette.applications import Starlette

from community_metrics.api.middleware.tokens import token_hash
from community_metrics.api.serving import listen_on_host, listen_on_path, port_of, run_server, url_of
from community_metrics.errors import AddressUnavailable, CommunityMetricsError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-m", "community_metrics.cli.main"]
UVICORN = [sys.executable, "-m", "uvicorn", "community_metrics.api.main:app"]


def environment(tmp_path: Path, **variables: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CM_")}
    return kept | {"CM_DB_PATH": str(tmp_path / "db"), **variables}


@contextmanager
def running(command: list[str], env: dict[str, str]) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([*command, "--port", str(port)], env=env, stderr=subprocess.PIPE)
    try:
        yield f"http://127.0.0.1:{port}/api/v1"
    finally:
        process.terminate()
        process.communicate(timeout=20)


def get_when_up(url: str) -> httpx.Response:
    for _ in range(300):
        try:
            return httpx.get(url)
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"{url} never answered")


@pytest.mark.parametrize("command", [[*PROGRAM, "serve"], UVICORN], ids=["serve", "uvicorn"])
def test_the_api_is_up_before_there_is_a_database(command: list[str], tmp_path: Path) -> None:
    with running(command, environment(tmp_path)) as url:
        assert get_when_up(f"{url}/health").content == b'{"status":"ok"}'
        assert httpx.get(f"{url}/ready").status_code == 503


@pytest.mark.parametrize("command", [[*PROGRAM, "serve"], UVICORN], ids=["serve", "uvicorn"])
def test_a_missing_setting_ends_the_start_with_one_message(command: list[str], tmp_path: Path) -> None:
    env = environment(tmp_path, CM_STORAGE_MODE="enterprise", CM_LANCEDB_URI="db://x")
    ended = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert "CM_LANCEDB_API_KEY" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("command", [[*PROGRAM, "serve"], UVICORN], ids=["serve", "uvicorn"])
def test_the_three_enterprise_variables_start_the_api_and_no_origin_may_read(
    command: list[str], tmp_path: Path
) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CM_")}
    three = {"CM_STORAGE_MODE": "enterprise", "CM_LANCEDB_URI": "db://x", "CM_LANCEDB_API_KEY": "k"}
    page = {"Origin": "http://localhost:5173"}

    with running(command, kept | three) as url:
        assert get_when_up(f"{url}/health").content == b'{"status":"ok"}'
        read = httpx.get(f"{url}/health", headers=page)
        asked = httpx.options(f"{url}/status", headers={**page, "Access-Control-Request-Method": "GET"})

    assert "access-control-allow-origin" not in read.headers
    assert asked.status_code == 400
    assert "access-control-allow-origin" not in asked.headers


def test_a_new_token_is_printed_with_its_hash(tmp_path: Path) -> None:
    ended = subprocess.run(
        [*PROGRAM, "token", "new"], env=environment(tmp_path), capture_output=True, text=True, check=True
    )
    token, printed = (line.split()[1] for line in ended.stdout.splitlines())
    assert printed == token_hash(token)


SERVE = [*PROGRAM, "serve"]
UNPRIVILEGED = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
WITHOUT_RIGHTS = ["setpriv", "--bounding-set", "-net_bind_service"] if os.geteuid() == 0 else []


def end_of(words: list[str], tmp_path: Path) -> str:
    """Return the one message that `serve` ends with; its exit code is 1 and no address comes before it."""
    command = [*SERVE, *words]
    ended = subprocess.run(
        command, env=environment(tmp_path), capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    (message,) = ended.stderr.splitlines()
    assert message.startswith("Error: ")
    return message


@contextmanager
def serving(words: list[str], tmp_path: Path) -> Iterator[str]:
    """Yield the address that `serve` prints."""
    process = subprocess.Popen(
        [*SERVE, *words], env=environment(tmp_path), stderr=subprocess.PIPE, encoding="utf-8"
    )
    assert process.stderr is not None
    try:
        line = next(line for line in process.stderr if line.startswith("The read API is at "))
        yield line.split()[5].removesuffix(";")
    finally:
        process.terminate()
        process.communicate(timeout=20)


def test_a_taken_port_ends_the_start_before_an_address_is_printed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        message = end_of(["--port", str(port)], tmp_path)
    assert f"Port {port} on 127.0.0.1 is in use" in message
    assert "--port" in message


def test_a_host_of_another_machine_ends_the_start_with_its_option(tmp_path: Path) -> None:
    message = end_of(["--host", "10.255.255.1"], tmp_path)
    assert "This machine has no address 10.255.255.1" in message
    assert "--host" in message


@pytest.mark.parametrize("host", ["name.invalid", "two..dots", "[::1", "http://127.0.0.1"])
def test_a_host_that_does_not_resolve_is_named_with_its_option(host: str) -> None:
    with pytest.raises(AddressUnavailable, match=r"does not resolve.*--host") as error:
        listen_on_host(host, 0)
    assert host in str(error.value)


def test_a_port_that_another_program_has_on_every_address_is_in_use() -> None:
    with socket.create_server(("0.0.0.0", 0)) as other, pytest.raises(AddressUnavailable, match="in use"):
        listen_on_host("127.0.0.1", other.getsockname()[1])


def test_all_addresses_of_a_name_have_one_port() -> None:
    sockets = listen_on_host("localhost", 0)
    assert url_of("localhost", sockets) == f"http://localhost:{port_of(sockets)}"
    assert len({listening.getsockname()[1] for listening in sockets}) == 1
    for listening in sockets:
        listening.close()


@pytest.mark.skipif(
    not UNPRIVILEGED.exists() or int(UNPRIVILEGED.read_text("ascii")) <= 80,
    reason="this system lets every user have port 80",
)
def test_a_port_that_needs_root_is_refused_with_its_option(tmp_path: Path) -> None:
    ended = subprocess.run(
        [*WITHOUT_RIGHTS, *SERVE, "--port", "80"],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: No permission to listen on port 80")
    assert "--port" in ended.stderr


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_port_0_is_a_free_port_and_the_printed_address_answers(host: str, tmp_path: Path) -> None:
    if ":" in host and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    with serving(["--host", host, "--port", "0"], tmp_path) as address:
        assert httpx.get(address.replace("/docs", "/health")).json() == {"status": "ok"}


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def test_a_unix_socket_in_use_stays_with_its_program(tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    with socket.socket(socket.AF_UNIX) as other, socket.socket(socket.AF_UNIX) as caller:
        other.bind(str(path))
        other.listen()
        assert f"{path} is in use" in end_of(["--uds", str(path)], tmp_path)
        caller.connect(str(path))


@pytest.mark.parametrize("name", ["missing/api.sock", "file", "x" * 120])
def test_a_path_that_cannot_be_a_socket_is_named_with_its_option(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept", encoding="utf-8")
    with pytest.raises(AddressUnavailable, match="--uds") as error:
        listen_on_path(tmp_path / name)
    assert str(tmp_path / name) in str(error.value)
    assert (tmp_path / "file").read_text(encoding="utf-8") == "kept"


def test_a_unix_socket_that_nobody_listens_on_is_replaced_with_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    with socket.socket(socket.AF_UNIX) as ended:
        ended.bind(str(path))
    path.chmod(0o660)
    with listen_on_path(path) as listening, socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(path))
        assert listening.getsockname() == str(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o660


def test_an_application_that_does_not_start_is_1_and_not_partial() -> None:
    @asynccontextmanager
    async def broken(app: Starlette) -> AsyncIterator[None]:
        if app.routes == []:
            raise OSError("no disk")
        yield

    announced: list[str] = []
    with pytest.raises(CommunityMetricsError) as error:
        run_server(Starlette(lifespan=broken), listen_on_host("127.0.0.1", 0), lambda: announced.append("up"))
    assert (error.value.exit_code, announced) == (1, [])


STALLING = """
import asyncio, sys
from community_metrics.api.serving import listen_on_host, port_of, run_server

async def endless(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})

async def app(scope, receive, send):
    if scope["type"] == "http":
        await endless(scope, receive, send)

sockets = listen_on_host("127.0.0.1", 0)
run_server(app, sockets, lambda: print(port_of(sockets), flush=True), grace_s=1)
"""


def test_a_client_that_reads_nothing_does_not_keep_serve_from_stopping() -> None:
    process = subprocess.Popen([sys.executable, "-c", STALLING], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    port = int(process.stdout.readline())
    with socket.create_connection(("127.0.0.1", port)) as stalled:
        stalled.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        stalled.recv(1)
        process.terminate()
        process.communicate(timeout=20)
    assert process.returncode is not None


def test_make_up_hands_its_port_to_serve(tmp_path: Path) -> None:
    tools, log = tmp_path / "tools", tmp_path / "log"
    tools.mkdir()
    program = tools / "community-metrics"
    program.write_text(f'#!/bin/sh\necho "$@" >> {log}\n', encoding="utf-8")
    program.chmod(0o755)
    for name in ("make", "find"):  # and no npm, so that no dashboard is built
        (tools / name).symlink_to(shutil.which(name) or name)
    subprocess.run(
        ["make", "--old-file", ".venv/.runtime", "up", f"BIN={tools}", "PORT=8123"],
        cwd=ROOT,
        env={"PATH": str(tools)},
        check=True,
        capture_output=True,
    )
    assert log.read_text(encoding="utf-8").splitlines()[-1].startswith("serve --port 8123")
