"""The certificate authority: pebble, whose API has a certificate of the test CA."""

from __future__ import annotations

import json
import ssl
import subprocess
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.request import urlopen

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.host.namespace import Namespace

NAME = "acme.rehearsal.test"
DIRECTORY = f"https://{NAME}:14000/dir"
DEFAULT_LIFE_S = 90 * 86_400
_PEM = serialization.Encoding.PEM


class CertificateAuthority:
    """Issues certificates after an HTTP-01 challenge on port 80; they are valid for `life_s`.

    `restart` starts a new authority with a new root and no accounts. `others` are more services: the test CA
    signs their names and addresses, in the files `<key>.pem` and `<key>.key`.
    """

    def __init__(
        self,
        inside: Namespace,
        bridge: str,
        address: str,
        dns: str,
        folder: Path,
        *,
        others: Mapping[str, tuple[str, str]],
    ) -> None:
        self._inside, self._bridge, self.address, self._dns, self._folder = (
            inside,
            bridge,
            address,
            dns,
            folder,
        )
        self._process: subprocess.Popen[bytes] | None = None
        self.test_ca = _write_test_certificates(folder, {"acme": (NAME, address), **others})

    def restart(self, life_s: int = DEFAULT_LIFE_S) -> None:
        """Start a new authority, with certificates of this lifetime."""
        self.end()
        config = self._folder / "pebble.json"
        config.write_text(json.dumps({"pebble": self._settings(life_s)}), encoding="utf-8")
        # without pebble's pauses and random rejections: two of them would cost a minute
        chances = ("PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0")
        command = ["ip", "netns", "exec", self._inside.name, "env", *chances,
                   "pebble", "-strict", "-config", str(config), "-dnsserver", f"{self._dns}:53"]  # fmt: skip
        with (self._folder / "pebble.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        self._wait()

    def end(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=10)
            self._process = None

    @contextmanager
    def reachable(self) -> Iterator[None]:
        """Have an address for a while; without one, the authority keeps its state."""
        self._inside.ip("address", "add", f"{self.address}/24", "dev", self._bridge)
        try:
            yield
        finally:
            self._inside.ip("address", "del", f"{self.address}/24", "dev", self._bridge)

    @property
    def root(self) -> str:
        """The root certificate that clients must trust, as PEM."""
        trust = ssl.create_default_context(cadata=self.test_ca)
        with (
            self._inside,
            urlopen(f"https://{self.address}:15000/roots/0", context=trust, timeout=5) as answer,
        ):
            text: str = answer.read().decode()
        return text

    @property
    def log(self) -> str:
        """The log of pebble."""
        return (self._folder / "pebble.log").read_text(encoding="utf-8", errors="replace")

    @property
    def issued(self) -> int:
        """The number of issued certificates."""
        return self.log.count("Issued certificate serial")

    def _settings(self, life_s: int) -> dict[str, object]:
        return {
            "listenAddress": f"{self.address}:14000",
            "managementListenAddress": f"{self.address}:15000",
            "certificate": str(self._folder / "acme.pem"),
            "privateKey": str(self._folder / "acme.key"),
            "httpPort": 80,
            "tlsPort": 443,
            "certificateValidityPeriod": life_s,
        }

    def _wait(self) -> None:
        for _ in range(200):
            try:
                assert self.root
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError(f"pebble did not start: {self.log[-2000:]}")


def _write_test_certificates(folder: Path, servers: Mapping[str, tuple[str, str]]) -> str:
    """Write a key and a certificate for each server; return the CA that signed them, as PEM."""
    ca_key = ec.generate_private_key(ec.SECP256R1())
    issuer = _name("community-metrics rehearsal CA")
    ca_usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    ca = (
        _certificate(issuer, issuer, ca_key)
        .add_extension(x509.BasicConstraints(True, 0), True)
        .add_extension(ca_usage, True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), False)
        .sign(ca_key, hashes.SHA256())
    )
    for stem, (name, address) in servers.items():
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ip_address(address))])
        leaf = (
            _certificate(_name(name), issuer, key)
            .add_extension(names, False)
            .add_extension(x509.BasicConstraints(False, None), True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False)
            .sign(ca_key, hashes.SHA256())
        )
        (folder / f"{stem}.pem").write_bytes(leaf.public_bytes(_PEM))
        (folder / f"{stem}.key").write_bytes(
            key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
    return ca.public_bytes(_PEM).decode()


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=3650))
    )
