"""The world of a box: a network without internet access, with every service that the host uses."""

from __future__ import annotations

import json
import socket
import ssl
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

import boto3
import httpx

from tests.host import acme, cache, imds, mirror, wheels
from tests.host.addresses import (
    ACME,
    API_ADDRESS,
    BOXES,
    BRIDGE,
    BRIDGE_MAC,
    CLIENTS,
    LANCEDB,
    MAIN,
    METADATA,
    NAMES,
    PACKAGES,
    WHEELS,
)
from tests.host.deployment import API_HOST, REGION, publish
from tests.host.dns import NameServer
from tests.host.namespace import Namespace, connect, sweep
from tests.host.services import Server, served
from tests.infra.rehearsal.recorder import recording
from tests.support.aws import empty_aws
from tests.support.enterprise import READ_KEY, WRITE_KEY, Enterprise, serving
from tests.support.registry import Registry
from tests.support.replay import HOSTS, Replay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.host.deployment import Deployment

GITHUB_TOKEN = "github-token-of-the-rehearsal"
WEBHOOK = "http://127.0.0.1:8099/hook"  # on the box itself: other addresses must have TLS
WEBHOOK_KEY = "key-of-the-rehearsed-webhook"
SECRETS = {
    "lancedb-read-key": READ_KEY,
    "lancedb-write-key": WRITE_KEY,
    "lancedb-uri": "db://rehearsal",
    "lancedb-endpoint": "https://lancedb.rehearsal.test:8443",
    "github-token": GITHUB_TOKEN,
    "delivery": json.dumps({"CM_DELIVERY_URL_REHEARSAL": WEBHOOK, "CM_DELIVERY_KEY_REHEARSAL": WEBHOOK_KEY}),
}
VARIABLES = {  # for programs on the box
    "AWS_ENDPOINT_URL": f"http://{MAIN}:5000",
    **{f"CM_SOURCE_URL_{host.upper()}": "http://registries.rehearsal.test:8900" for host in HOSTS},
    "CM_ACME_DIRECTORY": acme.DIRECTORY,
}


class World:
    """One world; `with World(folder, deployment) as world` creates and removes it.

    Services for `stop` and `start`: `aws`, `registries`, `lancedb`, `acme`, `dns`, `imds`, `packages` and
    `wheels`. A stopped service refuses connections; `acme` is unreachable instead, and keeps its state.
    """

    def __init__(self, folder: Path, deployment: Deployment) -> None:
        self.folder = folder
        self.deployment = deployment
        self.imds = imds.InstanceMetadata(REGION)
        self.registry = Registry(datetime.now(UTC).date())
        self.lancedb = Enterprise(folder / "lancedb")
        self._wheels = wheels.wheel_index()
        self._free_addresses = iter(BOXES)
        self._stack = ExitStack()
        self._running: dict[str, ExitStack] = {}

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            with cache.alone("sweep"):
                sweep()
                mirror.delete_unused_files()
            self._build_network(stack)
            self._moto_port = stack.enter_context(empty_aws())
            stack.callback(lambda: [self.stop(name) for name in tuple(self._running)])
            for name in self._services():
                self.start(name)
            stack.callback(self.acme.end)
            self.acme.restart()
            for name, address in {**NAMES, API_HOST: API_ADDRESS}.items():
                self.dns.point(name, address)
            publish(self.deployment, SECRETS, self.client)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start(self, name: str) -> None:
        """Start a service."""
        if name not in self._running:
            stack = ExitStack()
            stack.enter_context(self._services()[name]())
            self._running[name] = stack

    def stop(self, name: str) -> None:
        """Stop a service."""
        self._running.pop(name).close()

    def client(self, service: str, region: str = REGION) -> Any:
        """Return a boto3 client of the world's AWS; its calls are not recorded."""
        return boto3.client(
            service,  # type: ignore[call-overload]  # the name is only known when it runs
            region_name=region,
            endpoint_url=f"http://127.0.0.1:{self._moto_port}",
            aws_access_key_id="operator",
            aws_secret_access_key="operator",
        )

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Request the API by its name, with verified TLS."""
        return self.request("GET", path, **options)

    def request(
        self, method: str, path: str, *, source: str = CLIENTS[0], address: str = API_ADDRESS, **options: Any
    ) -> httpx.Response:
        """Send a request from a client address, or to the `address` of one box, with httpx's options."""
        transport = httpx.HTTPTransport(verify=self.trust(), local_address=source)
        options["headers"] = {"Host": API_HOST, **options.get("headers", {})}
        options.setdefault("extensions", {"sni_hostname": API_HOST})
        with self.clients, httpx.Client(transport=transport, timeout=options.pop("timeout", 20)) as client:
            return client.request(method, f"https://{address}{path}", **options)

    def trust(self) -> ssl.SSLContext:
        """Return the TLS context of a client, which trusts the root of `acme` only."""
        return ssl.create_default_context(cadata=self.acme.root)

    def point_name_at(self, address: str | None) -> None:
        """Point the API's name at an address, or remove its record."""
        self.dns.point(API_HOST, address)

    def plug_in(self, name: str) -> tuple[Namespace, str]:
        """Return the network of a new machine, and its address in it."""
        address = next(self._free_addresses)
        guest = Namespace(f"{name}")
        connect(self.net, BRIDGE, guest, name, address)
        # as in AWS: a route to the metadata service, and a default router, which drops everything
        guest.ip("route", "add", METADATA, "dev", "eth0")
        guest.ip("route", "add", "default", "via", MAIN)
        return guest, address

    def flush_neighbours(self) -> None:
        """Flush the ARP caches, as after an announcement that an address has moved."""
        for namespace in (self.net, self.clients):
            namespace.ip("neighbour", "flush", "all")

    def _build_network(self, stack: ExitStack) -> None:
        self.net = _namespace(stack, "world")
        # a fixed MAC address: a bridge's default one changes with its ports, and for half a minute machines
        # with the old one in their ARP cache could not reach it
        self.net.ip("link", "add", BRIDGE, "address", BRIDGE_MAC, "type", "bridge", "forward_delay", "0")
        addresses = (MAIN, LANCEDB, PACKAGES, WHEELS)
        for address in (*(f"{address}/24" for address in addresses), f"{METADATA}/32"):
            self.net.ip("address", "add", address, "dev", BRIDGE)
        self.net.ip("link", "set", BRIDGE, "up")
        self.clients = _namespace(stack, "clients")
        connect(self.net, BRIDGE, self.clients, "clients", *CLIENTS)
        self.dns = NameServer(self.net, MAIN, self.folder)
        others = {"lancedb": ("lancedb.rehearsal.test", LANCEDB)}
        self.acme = acme.CertificateAuthority(self.net, BRIDGE, ACME, MAIN, self.folder, others=others)

    def _services(self) -> dict[str, Callable[[], AbstractContextManager[object]]]:
        return {
            "aws": self._aws,
            "registries": self._registries,
            "lancedb": self._lancedb,
            "acme": self.acme.reachable,
            "dns": self.dns.running,
            "imds": lambda: self._served(self.imds.server),
            "packages": lambda: self._served(lambda: Server((PACKAGES, 80), mirror.MirrorHandler)),
            "wheels": lambda: self._served(lambda: Server((WHEELS, 80), wheels.index_handler(self._wheels))),
        }

    # Bound inside, served outside: a thread has the network of its parent, and these servers use moto, the
    # mirror and the disk on the outside.

    @contextmanager
    def _served(self, make: Callable[[], Server]) -> Iterator[None]:
        with self.net:
            server = make()
        with served(server):
            yield

    @contextmanager
    def _aws(self) -> Iterator[None]:
        with recording(self._moto_port, (MAIN, 5000), self.net) as self.aws:
            yield

    @contextmanager
    def _registries(self) -> Iterator[None]:
        with self.net:
            self.registries = Replay(self.registry, host=MAIN, port=8900)
        with self.registries:
            yield

    @contextmanager
    def _lancedb(self) -> Iterator[None]:
        with self.net:
            listening = socket.create_server((LANCEDB, 8443))
        certificate = (self.folder / "lancedb.pem", self.folder / "lancedb.key")
        with serving(self.lancedb, listening=listening, certificate=certificate):
            yield


def _namespace(stack: ExitStack, name: str) -> Namespace:
    namespace = Namespace(name)
    stack.callback(namespace.delete)
    return namespace
