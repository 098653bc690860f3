"""The protocols between a service and systemd: socket activation (sd_listen_fds) and sd_notify."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final

from community_metrics.errors import ConfigurationError

if TYPE_CHECKING:
    from community_metrics.config import ServiceManager

_FIRST_DESCRIPTOR: Final = 3


def activation_sockets(manager: ServiceManager) -> list[socket.socket]:
    """Return the listening sockets that systemd opened for this process.

    Raises:
        ConfigurationError: systemd passed no socket.
    """
    if manager.socket_count < 1:
        raise ConfigurationError(
            "systemd passed no socket to listen on. Fix: start community-metrics-api.socket with systemctl, "
            "or run `community-metrics serve`."
        )
    last = _FIRST_DESCRIPTOR + manager.socket_count
    return [socket.socket(fileno=number) for number in range(_FIRST_DESCRIPTOR, last)]


def notify(manager: ServiceManager, state: str) -> None:
    """Send a state such as `READY=1` to systemd; without a notify socket, do nothing."""
    if manager.notify_socket is None:
        return
    address = manager.notify_socket
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        sender.connect(f"\0{address[1:]}" if address.startswith("@") else address)
        sender.sendall(state.encode())
