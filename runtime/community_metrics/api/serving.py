"""The server of `community-metrics serve`.

The sockets are opened before the address is printed, so that it is never the address of another program.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
from typing import TYPE_CHECKING, Any, Final

import uvicorn

from community_metrics.api.server import server_config
from community_metrics.errors import AddressUnavailable, CommunityMetricsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from starlette.types import ASGIApp

SHUTDOWN_TIMEOUT_S: Final = 30
"""How long requests in progress may take after the stop signal."""
_NO_SUCH_ADDRESS: Final = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


def listen_on_host(host: str, port: int) -> list[socket.socket]:
    """Return a listening socket for each address of `host`; for port 0 the system selects one port for all.

    Raises:
        AddressUnavailable: the name does not resolve, or listening on one of its addresses failed.
    """
    opened: list[socket.socket] = []
    errors: list[OSError] = []
    for family, protocol, address in _resolved(host, port):
        selected = port_of(opened) if opened else port
        try:
            opened.append(_listening(family, protocol, (address[0], selected, *address[2:])))
        except OSError as error:
            errors.append(error)
    # `localhost` resolves to an IPv6 address even if IPv6 is disabled: the other address is enough
    serious = [error for error in errors if error.errno not in _NO_SUCH_ADDRESS]
    if opened and not serious:
        return opened
    for one in opened:
        one.close()
    first = (serious or errors)[0]
    raise AddressUnavailable(_listen_error(host, port, first)) from first


def listen_on_path(path: Path) -> socket.socket:
    """Return a socket that listens on the unix socket `path`; an unused socket file is replaced.

    Raises:
        AddressUnavailable: another program listens on it, or no socket can be created at `path`.
    """
    fix = "Fix: choose another path with --uds."
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        mode = _remove_unused(path)
        listening.bind(str(path))
        path.chmod(mode)
        listening.listen()
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise AddressUnavailable(f"{path} is in use by another program or file. {fix}") from error
        raise AddressUnavailable(f"Cannot listen on {path}: {error.strerror or error}. {fix}") from error
    return listening


def port_of(sockets: Sequence[socket.socket]) -> int:
    """Return the port that the TCP sockets share."""
    return int(sockets[0].getsockname()[1])


def url_of(host: str, sockets: Sequence[socket.socket]) -> str:
    """Return the URL of TCP sockets that listen on `host`."""
    name = _without_brackets(host) or "localhost"
    return f"http://{f'[{name}]' if ':' in name else name}:{port_of(sockets)}"


def run_server(
    app: ASGIApp,
    sockets: list[socket.socket],
    announce: Callable[[], None],
    *,
    grace_s: int = SHUTDOWN_TIMEOUT_S,
) -> None:
    """Serve `app` on listening sockets until a signal, and close them.

    Calls `announce` once the server accepts requests. Those in progress may take `grace_s` after the signal.

    Raises:
        CommunityMetricsError: the application did not start.
    """
    server = _AnnouncedServer(app, announce, grace_s)
    try:
        server.run(sockets)
    except KeyboardInterrupt:
        return  # uvicorn raises it after a complete shutdown
    except SystemExit as error:
        # uvicorn exits with 3, our exit code of a partial run
        raise CommunityMetricsError("The API did not start. The log lines above have the error.") from error
    finally:
        for listening in sockets:
            listening.close()


class _AnnouncedServer(uvicorn.Server):
    """Calls `announce` when it is up."""

    def __init__(self, app: ASGIApp, announce: Callable[[], None], grace_s: int) -> None:
        super().__init__(server_config(app, timeout_graceful_shutdown=grace_s))
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, accept requests, then announce it."""
        await super().startup(sockets)
        if not self.should_exit:
            self._announce()


def _resolved(host: str, port: int) -> list[tuple[int, int, tuple[Any, ...]]]:
    """Return family, protocol and address of each address of `host`, without duplicates."""
    try:
        found = socket.getaddrinfo(
            _without_brackets(host) or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (socket.gaierror, UnicodeError) as error:  # UnicodeError for an empty or overlong label
        raise AddressUnavailable(
            f"The host name {host!r} does not resolve ({error}). "
            "Fix: pass an address of this machine with --host, such as 127.0.0.1."
        ) from error
    return list(dict.fromkeys((family, protocol, address) for family, _, protocol, _, address in found))


def _without_brackets(host: str) -> str:
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def _listening(family: int, protocol: int, address: tuple[Any, ...]) -> socket.socket:
    # with the protocol, since asyncio disables Nagle's algorithm only if it is set
    listening = socket.socket(family, socket.SOCK_STREAM, protocol)
    try:
        if os.name == "posix":  # elsewhere it lets two programs share a port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind(address)
        listening.listen()
    except OSError:
        listening.close()
        raise
    return listening


def _listen_error(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is in use by another program. Fix: choose another port with --port "
            "(`make up PORT=…`); --port 0 selects a free one."
        )
    if error.errno == errno.EACCES:
        return (
            f"No permission to listen on port {port} of {host}; ports below 1024 need root. "
            "Fix: choose a higher port with --port (`make up PORT=…`)."
        )
    if error.errno in _NO_SUCH_ADDRESS:
        return (
            f"This machine has no address {host}. Fix: pass one that it has with --host; 127.0.0.1 accepts "
            "connections from this machine alone, 0.0.0.0 from every machine that can reach it."
        )
    return f"Cannot listen on port {port} of {host}: {error}. Fix: choose another one with --host and --port."


def _remove_unused(path: Path) -> int:
    """Remove an unused socket file; return the permissions for the new one."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return 0o666  # any user may connect
    if stat.S_ISSOCK(mode):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(1)
            try:
                client.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()
    return stat.S_IMODE(mode)
