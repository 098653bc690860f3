"""Every operation of the OpenAPI file under hundreds of made-up requests: no 5xx, nothing undocumented."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uvicorn

from community_metrics.api.main import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.api import Place

CONFIG = Path(__file__).with_name("schemathesis.toml")


@pytest.fixture
def url(filled_local: Place) -> Iterator[str]:
    """The API on loopback, by the machine's own clock."""
    config = uvicorn.Config(create_app(filled_local.reading), port=0, log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.mark.timeout(300)
def test_no_request_meets_a_5xx_or_anything_undocumented(url: str, tmp_path: Path) -> None:
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run"),
            f"{url}/api/v1/openapi.json",
            *("--checks", "all", "--phases", "examples,coverage,fuzzing,stateful"),
            *("--max-examples", "12", "--seed", "3", "--continue-on-failure"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-6_000:] + ran.stderr[-2_000:]
