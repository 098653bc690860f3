"""An AWS on loopback: moto's server."""

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
    """Serve an AWS that holds nothing on a port of 127.0.0.1.

    moto keeps one world for a whole process, which the next call empties. So what a test needs there, the
    test or a fixture of its own scope makes: between two tests of a module others may run.
    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # or each request of a failed test is told
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    port = server.get_host_and_port()[1]
    httpx.post(f"http://127.0.0.1:{port}/moto-api/reset")
    try:
        yield port
    finally:
        server.stop()


@contextmanager
def believed_aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let this process take an empty AWS for its own, as its environment says."""
    with empty_aws() as port:
        for name, value in (
            ("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}"),
            ("AWS_ACCESS_KEY_ID", "a"),
            ("AWS_SECRET_ACCESS_KEY", "b"),
            ("AWS_DEFAULT_REGION", REGION),
        ):
            monkeypatch.setenv(name, value)
        yield
