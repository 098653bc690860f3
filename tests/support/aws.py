"""AWS on loopback: moto's server."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
from moto.server import ThreadedMotoServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

REGION = "eu-central-1"


@contextmanager
def empty_aws() -> Iterator[int]:
    """Serve an empty AWS on a port of 127.0.0.1.

    moto has one state for a whole process, which the next call clears. So a test, or a fixture of function
    scope, creates what it needs: between two tests of a module, tests of others may run.
    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a failed test would print each request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    port = server.get_host_and_port()[1]
    httpx.post(f"http://127.0.0.1:{port}/moto-api/reset")
    try:
        yield port
    finally:
        server.stop()


@contextmanager
def aws_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make this process use an empty AWS, by its environment."""
    with empty_aws() as port:
        for name, value in (
            ("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}"),
            ("AWS_ACCESS_KEY_ID", "a"),
            ("AWS_SECRET_ACCESS_KEY", "b"),
            ("AWS_DEFAULT_REGION", REGION),
        ):
            monkeypatch.setenv(name, value)
        yield
