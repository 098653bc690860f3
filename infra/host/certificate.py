#!/usr/bin/python3
"""Manage the TLS certificate of the API's domain name: restore it from S3, request it, renew it, store it.

    cm-certificate renew        run by the unit: wait until a request can succeed, then request it if due
    cm-certificate prepare      before nginx starts: restore the certificate, or write a placeholder
    cm-certificate placeholder  the same without network access, for a host that has lost its certificate
    cm-certificate deploy       load a new certificate into nginx and store it (certbot's deploy hook)

Certificate authorities have rate limits. So before it requests a certificate, this program looks in the
bucket and checks that the domain name points to this host. After a failed request it exits, and systemd
starts it again, each time after a longer delay. It runs as root with Debian's Python and packages, and is one
file so that it can be installed as one program.
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import io
import json
import os
import secrets
import socket
import subprocess
import sys
import tarfile
import time
import zlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

if TYPE_CHECKING:
    from collections.abc import Callable

DEPLOYMENT = "var/lib/community-metrics/deployment.json"
LETSENCRYPT = "etc/letsencrypt"
WEBROOT = "var/lib/community-metrics/acme"
STATE = "var/lib/community-metrics/tls"
STATUS = "run/community-metrics/certificate.json"
CHALLENGES = ".well-known/acme-challenge"
PREFIX = "certificates"
DIRECTORY_VARIABLE = "CM_ACME_DIRECTORY"
LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
HOOK = "/usr/local/sbin/cm-certificate deploy"

SHORT_LIFETIME = timedelta(days=10)  # certbot renews such a certificate when half of its lifetime is left
HTTP_TIMEOUT_S = 10
HTTP_PORT = 80
CERTBOT_LIMIT_S = 600
CHECK_INTERVAL_S = 15  # the checks before a request are free
PLACEHOLDER_LIFETIME = timedelta(days=3650)


class NotReadyError(Exception):
    """There is no certificate, or no renewed one, for a reason that may pass; the message says what to do."""


class RequestFailedError(Exception):
    """The certificate authority returned an error, which counts towards its rate limits."""


@dataclass(frozen=True, slots=True)
class Validity:
    """The period in which a certificate is valid."""

    begin: datetime
    end: datetime

    def is_due(self, now: datetime) -> bool:
        """Return whether to renew: in the last third of the lifetime, or the last half of a short one."""
        lifetime = self.end - self.begin
        return self.end - now < lifetime / (2 if lifetime <= SHORT_LIFETIME else 3)


class CertificateManager:
    """Manages the certificate of one deployment, on the file system under `root`."""

    def __init__(self, facts: dict[str, Any], root: Path = Path("/")) -> None:
        self._facts = facts
        self._letsencrypt = root / LETSENCRYPT
        self._webroot = root / WEBROOT
        self._state = root / STATE
        self._status = root / STATUS
        self._host = facts["api_host"]
        self._live = self._letsencrypt / "live" / self._host
        self._key = f"{PREFIX}/{self._host}.tar.gz"
        self._stored = self._state / "stored"

    def prepare(self) -> None:
        """Give nginx a certificate to start with: from disk, from the bucket, or a placeholder."""
        if self._validity() is None:
            self.restore()
        self.placeholder()

    def placeholder(self) -> None:
        """Point nginx at the certificate on disk; if there is none, at a self-signed placeholder."""
        self._webroot.mkdir(parents=True, exist_ok=True)
        if self._validity() is not None:
            self._point_at(self._live)
            return
        folder = self._state / "placeholder"
        if validity_of(folder) is None:
            write_placeholder(folder, self._host, datetime.now(UTC))
        self._status.unlink(missing_ok=True)
        self._point_at(folder)

    def renew(self) -> None:
        """Restore, request or renew the certificate as needed, load it into nginx, and store it.

        Raises:
            NotReadyError: something else has to happen first; no request was sent.
            RequestFailedError: the certificate authority returned an error.
        """
        if self._validity() is None:
            self.restore()
        validity = self._validity()
        if validity is not None:
            self._load()
        if validity is None or validity.is_due(datetime.now(UTC)):
            self._check_domain_name()
            self._request()
        self.deploy()

    def deploy(self) -> None:
        """Load the certificate into nginx, and store it in the bucket if it is not stored yet."""
        try:
            self._load()
        finally:
            self.store()  # also if nginx cannot load it: the next host must not request another one

    def _load(self) -> None:
        """Load the certificate into nginx, then write its validity for the monitor."""
        status = self._status_text()  # first: a damaged certificate must not be loaded
        self._point_at(self._live)
        if self._status.exists() and self._status.read_text(encoding="utf-8") == status:
            return
        done = subprocess.run(["systemctl", "try-reload-or-restart", "nginx.service"], check=False)
        if done.returncode != 0:
            raise NotReadyError(
                f"nginx cannot load the certificate in {self._live} (systemctl exited with "
                f"{done.returncode}); this is retried. For the reason: sudo nginx -t"
            )
        write(self._status, status.encode(), 0o644)

    def _validity(self) -> Validity | None:
        return validity_of(self._live)

    def _require_validity(self) -> Validity:
        validity = self._validity()
        if validity is None:
            raise NotReadyError(
                f"{self._live} does not hold a certificate with its key; it is neither loaded nor stored. "
                "Fix: sudo systemctl restart community-metrics-certificate (restores or requests one)"
            )
        return validity

    def _point_at(self, folder: Path) -> None:
        """Make nginx read this folder at its next reload; until then there is no status."""
        link = self._state / "current"
        if link.is_symlink() and link.readlink() == folder:
            return
        self._state.mkdir(parents=True, exist_ok=True)
        self._status.unlink(missing_ok=True)
        scratch = self._state / "current.new"
        scratch.unlink(missing_ok=True)
        scratch.symlink_to(folder)
        scratch.rename(link)

    def _status_text(self) -> str:
        """Return the validity of the certificate as the monitor reads it."""
        validity = self._require_validity()
        return json.dumps({"not_before": validity.begin.isoformat(), "not_after": validity.end.isoformat()})

    def restore(self) -> None:
        """Restore the certificate from the bucket if an earlier host stored one."""
        bucket = self._facts["certificates_bucket"]
        client = self._s3()
        # list first: S3 returns 403, not 404, for a missing object if the caller may not list
        if client.list_objects_v2(Bucket=bucket, Prefix=self._key).get("KeyCount", 0) == 0:
            return
        content = client.get_object(Bucket=bucket, Key=self._key)["Body"].read()
        try:
            unpack(content, self._letsencrypt)
        except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise NotReadyError(
                f"s3://{bucket}/{self._key} is not a valid archive ({error}). Fix: delete it, and a new "
                f"certificate is requested: aws s3 rm s3://{bucket}/{self._key}"
            ) from None
        write(self._stored, tree_digest(self._letsencrypt).encode())
        print(f"restored from s3://{bucket}/{self._key}", flush=True)

    def store(self) -> None:
        """Store the certificate in the bucket for the next host, unless it is stored already.

        Raises:
            NotReadyError: it is damaged, and would overwrite what may be the only intact copy.
        """
        self._require_validity()
        digest = tree_digest(self._letsencrypt)
        if self._stored.exists() and self._stored.read_text(encoding="utf-8") == digest:
            return
        bucket = self._facts["certificates_bucket"]
        self._s3().put_object(Bucket=bucket, Key=self._key, Body=pack(self._letsencrypt))
        write(self._stored, digest.encode())
        print(f"stored in s3://{bucket}/{self._key}", flush=True)

    def _s3(self) -> Any:
        config = Config(
            connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 4}
        )
        return boto3.client("s3", region_name=self._facts["region"], config=config)

    def _check_domain_name(self) -> None:
        """Raise NotReadyError unless each address of the domain name reaches this host."""
        name = secrets.token_urlsafe(24)
        path = self._webroot / CHALLENGES / name
        write(path, name.encode(), 0o644)
        self._webroot.joinpath(".well-known").chmod(0o755)
        path.parent.chmod(0o755)
        try:
            for address in addresses_of(self._host):
                body = fetch(address, self._host, f"/{CHALLENGES}/{name}")
                if body != name.encode():
                    raise NotReadyError(
                        f"{self._host} points to {address}, which is another machine. No certificate is "
                        "requested until the address has moved to this host or the record has changed."
                    )
        finally:
            path.unlink()

    def _request(self) -> None:
        directory = os.environ.get(DIRECTORY_VARIABLE) or LETS_ENCRYPT
        if not is_reachable(directory):
            raise NotReadyError(f"{directory} is unreachable; no request is sent until it is reachable.")
        command = [
            "certbot", "certonly", "--non-interactive", "--agree-tos", "--no-eff-email", "--force-renewal",
            "--email", self._facts["alarm_email"], "--server", directory,
            "--webroot", "--webroot-path", str(self._webroot), "--cert-name", self._host,
            "--domain", self._host, "--key-type", "ecdsa", "--deploy-hook", HOOK,
        ]  # fmt: skip
        # the system's trust store; certbot's default is a bundle of its own
        environment = {"REQUESTS_CA_BUNDLE": "/etc/ssl/certs/ca-certificates.crt", **os.environ}
        try:
            subprocess.run(command, env=environment, check=True, timeout=CERTBOT_LIMIT_S)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise RequestFailedError(
                f"certbot: {type(error).__name__}; its output is above, and more of it in "
                "/var/log/letsencrypt/letsencrypt.log. The next request follows later. To request now: "
                "sudo systemctl restart community-metrics-certificate"
            ) from None


def validity_of(folder: Path) -> Validity | None:
    """Return the validity of the certificate in a folder; None if it or its key is missing or damaged."""
    try:
        certificate = x509.load_pem_x509_certificate((folder / "fullchain.pem").read_bytes())
        key = serialization.load_pem_private_key((folder / "privkey.pem").read_bytes(), None)
    except (FileNotFoundError, ValueError):
        return None
    if key.public_key() != certificate.public_key():
        return None
    return Validity(certificate.not_valid_before_utc, certificate.not_valid_after_utc)


def addresses_of(host: str) -> list[str]:
    """Return every address of a domain name.

    Raises:
        NotReadyError: it has none.
    """
    try:
        found = socket.getaddrinfo(host, 80, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise NotReadyError(
            f"{host} has no address ({error.strerror}). Fix: create the record that `cdk deploy` printed."
        ) from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def fetch(address: str, host: str, path: str) -> bytes:
    """Return the body of `http://host/path` from one address.

    Raises:
        NotReadyError: the address does not answer.
    """
    connection = http.client.HTTPConnection(address, HTTP_PORT, timeout=HTTP_TIMEOUT_S)
    try:
        connection.request("GET", path, headers={"Host": host})
        return connection.getresponse().read(1000)
    except (OSError, http.client.HTTPException) as error:
        raise NotReadyError(
            f"{host} points to {address}, which does not answer on port 80: {error}"
        ) from None
    finally:
        connection.close()


def is_reachable(url: str) -> bool:
    """Return whether a TCP connection to the URL's host and port succeeds."""
    parts = urlsplit(url)
    with (
        suppress(OSError),
        socket.create_connection((parts.hostname or "", parts.port or 443), HTTP_TIMEOUT_S),
    ):
        return True
    return False


def write_placeholder(folder: Path, host: str, now: datetime) -> None:
    """Write a self-signed certificate, so that nginx can start before there is a trusted one."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "placeholder, no certificate yet")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + PLACEHOLDER_LIFETIME)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write(folder / "fullchain.pem", certificate.public_bytes(pem), 0o644)
    write(folder / "privkey.pem", private)


def pack(tree: Path) -> bytes:
    """Return a gzipped tar of a folder; symbolic links stay links."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        # `live` last: if unpacking stops halfway, there is no certificate instead of a damaged one
        for entry in sorted(tree.iterdir(), key=lambda path: (path.name == "live", path.name)):
            archive.add(entry, arcname=entry.name)
    return raw.getvalue()


def unpack(content: bytes, tree: Path) -> None:
    """Unpack an archive into a folder, and nothing outside it."""
    tree.parent.mkdir(parents=True, exist_ok=True)
    tree.mkdir(mode=0o700, exist_ok=True)
    # decompress all of it first, so that a truncated archive writes nothing
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(content)), mode="r:") as archive:
        archive.extractall(tree, filter="data")


def tree_digest(tree: Path) -> str:
    """Return a digest of a folder's names, links and contents, without times."""
    digest = hashlib.sha256()
    for path in sorted(tree.rglob("*")):
        content = b""
        if path.is_symlink():
            content = str(path.readlink()).encode()
        elif path.is_file():
            content = path.read_bytes()
        digest.update(f"{path.relative_to(tree)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def write(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace a file atomically, also across a power loss."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(path.name + ".new")
    scratch.touch(mode=0o600)
    with scratch.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    scratch.chmod(mode)
    scratch.rename(path)


def main(arguments: list[str], root: Path = Path("/"), pause: Callable[[float], None] = time.sleep) -> int:
    """Run one subcommand and return the exit code; 75 means try again later.

    `renew` does not return before a request can be sent, if one is due: it repeats its checks.
    """
    facts = json.loads((root / DEPLOYMENT).read_text(encoding="utf-8"))
    manager = CertificateManager(facts, root)
    actions = {name: getattr(manager, name) for name in ("renew", "prepare", "placeholder", "deploy")}
    if len(arguments) != 1 or arguments[0] not in actions:
        print(__doc__, file=sys.stderr)
        return os.EX_USAGE
    printed = ""
    while True:
        try:
            actions[arguments[0]]()
        except (NotReadyError, BotoCoreError, ClientError, OSError) as error:
            reason, is_final = explained(error, facts["certificates_bucket"]), arguments != ["renew"]
        except RequestFailedError as error:
            reason, is_final = f"{error}", True
        else:
            return 0
        if reason != printed:
            print(f"not ready: {reason}", flush=True)
        if is_final:
            return os.EX_TEMPFAIL
        printed = reason
        pause(CHECK_INTERVAL_S)


def explained(error: Exception, bucket: str) -> str:
    """Return an error as one line with its fix."""
    if isinstance(error, (BotoCoreError, ClientError)):
        return f"the bucket {bucket} cannot be used: {error}"
    if isinstance(error, OSError):
        return (
            f"{error}. Fix: if the disk is full (df -h /), free space; if certbot is missing, "
            "sudo apt-get install certbot"
        )
    return f"{error}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
