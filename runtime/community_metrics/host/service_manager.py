"""What a service and systemd say to each other: sockets handed over, readiness, signs of life."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final

from community_metrics.errors import ConfigurationError

if TYPE_CHECKING:
    from community_metrics.config import ServiceManager

_FIRST_DESCRIPTOR: Final = 3


def handed_over_sockets(manager: ServiceManager) -> list[socket.socket]:
    """Return the listening sockets that systemd opened for this process.

    Raises:
        ConfigurationError: it handed over none.
    """
    if manager.socket_count < 1:
        raise ConfigurationError(
            "No socket was handed over, so there is nothing to listen on. Start community-metrics-api.socket "
            "with systemctl, or serve by hand with `community-metrics serve`."
        )
    last = _FIRST_DESCRIPTOR + manager.socket_count
    return [socket.socket(fileno=number) for number in range(_FIRST_DESCRIPTOR, last)]


def notify(manager: ServiceManager, state: str) -> None:
    """Tell systemd a state such as `READY=1`; nobody is told where nobody asked to be."""
    if manager.notify_socket is None:
        return
    address = manager.notify_socket
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        sender.connect(f"\0{address[1:]}" if address.startswith("@") else address)
        sender.sendall(state.encode())
