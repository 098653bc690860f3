"""`community-metrics serve` and plain uvicorn: they start, answer, or end with one message."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from community_metrics.api.middleware.tokens import token_hash

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
    env = environment(tmp_path, CM_STORAGE_MODE="enterprise", CM_LANCEDB_URI="db://x", CM_LANCEDB_API_KEY="k")
    ended = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert "CM_CORS_ORIGINS" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_new_token_is_printed_with_its_hash(tmp_path: Path) -> None:
    ended = subprocess.run(
        [*PROGRAM, "token", "new"], env=environment(tmp_path), capture_output=True, text=True, check=True
    )
    token, printed = (line.split()[1] for line in ended.stdout.splitlines())
    assert printed == token_hash(token)
