"""Every operation of the OpenAPI file under hundreds of generated requests: no 5xx, nothing undocumented."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from community_metrics.api.app import create_app
from community_metrics.api.problems import invalid
from tests.support.servers import served

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from tests.support.api import Place

CONFIG = Path(__file__).with_name("schemathesis.toml")


def schemathesis_run(url: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run"),
            *(f"{url}/api/v1/openapi.json", "--checks", "all", "--seed", "3", "--continue-on-failure"),
            *options,
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(CONFIG.parent)},  # the folder of our own checks
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.timeout(300)
def test_no_request_gets_a_5xx_or_an_undocumented_response(filled_local: Place, tmp_path: Path) -> None:
    with served(create_app(filled_local.reading)) as url:
        ran = schemathesis_run(
            url, tmp_path, "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "12"
        )
    assert ran.returncode == 0, ran.stdout[-6_000:] + ran.stderr[-2_000:]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("path", ["/api/v1/dashboard/daily", "/api/v1/dashboard/weekly", "/api/v1/history"])
def test_a_route_that_rejects_what_its_schema_allows_is_found(
    filled_local: Place, tmp_path: Path, path: str
) -> None:
    api = create_app(filled_local.reading)

    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == path and scope["method"] == "GET":
            await invalid("days", "is not to my taste").response(path)(scope, receive, send)
        else:
            await api(scope, receive, send)

    with served(broken) as url:
        ran = schemathesis_run(url, tmp_path, "--include-path", path, "--phases", "coverage")
    assert ran.returncode == 1, ran.stderr[-2_000:]
    assert "rejects as invalid-parameter what its schema allows" in ran.stdout
