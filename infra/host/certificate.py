#!/usr/bin/python3
"""The certificate of the API's name: restored from the bucket, asked for, renewed, stored back.

    cm-certificate keep [--now]   what the unit and its timer do; --now heeds no earlier failure
    cm-certificate prepare        before nginx starts: restore, or make a placeholder
    cm-certificate placeholder    the same without a network, for a box that has lost everything
    cm-certificate deploy         show nginx a new certificate and store it (certbot's hook)

Certificate authorities count what they are asked: nothing is asked of one before the bucket has been looked
at and the API's name has been seen to lead to this box. Runs as root with Debian's Python and packages, and
is one long file because on the host it stands alone.
"""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import http.client
import io
import json
import os
import posixpath
import secrets
import socket
import subprocess
import sys
import tarfile
import time
import zlib
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPLOYMENT = "var/lib/community-metrics/deployment.json"
LETSENCRYPT = "etc/letsencrypt"
WEBROOT = "var/lib/community-metrics/acme"
STATE = "var/lib/community-metrics/tls"
TOLD = "run/community-metrics/certificate.json"
CHALLENGES = ".well-known/acme-challenge"
PREFIX = "certificates"
DIRECTORY_VARIABLE = "CM_ACME_DIRECTORY"
LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
HOOK = "/usr/local/sbin/cm-certificate deploy"

SHORT_LIFE = timedelta(days=10)  # of such a certificate half is left at renewal, as certbot has it
FIRST_WAIT_S = 15  # after a refusal, which may pass at once; four times as long each time: five in an hour
LONGEST_WAIT_S = 6 * 3600
HTTP_TIMEOUT_S = 10
PLACEHOLDER_LIFE = timedelta(days=3650)


class NotYetError(Exception):
    """There is no certificate, or no new one, for a reason that may pass; the text says what is awaited."""


@dataclass(frozen=True, slots=True)
class Life:
    """From when to when a certificate is valid."""

    begin: datetime
    end: datetime

    def is_due(self, now: datetime) -> bool:
        """Say whether it should be renewed: in the last third of its life, or half of a short one."""
        life = self.end - self.begin
        return self.end - now < life / (2 if life <= SHORT_LIFE else 3)


class Keeper:
    """Keeps the certificate of one deployment, on the file system under `root`."""

    def __init__(self, facts: dict[str, Any], root: Path = Path("/")) -> None:
        self._facts = facts
        self._letsencrypt = root / LETSENCRYPT
        self._webroot = root / WEBROOT
        self._state = root / STATE
        self._told = root / TOLD
        self._host = facts["api_host"]
        self._live = self._letsencrypt / "live" / self._host
        self._key = f"{PREFIX}/{self._host}.tar.gz"
        self._tries = self._state / "tries.json"
        self._stored = self._state / "stored"
        self._unshown = self._state / "unshown"  # here while nginx may not have read what the link leads to

    def prepare(self) -> None:
        """Let nginx have a certificate to start with: our own, the bucket's, or a placeholder."""
        if self._life() is None:
            self.restore()
        self.placeholder()

    def placeholder(self) -> None:
        """Let nginx have something to start with."""
        self._webroot.mkdir(parents=True, exist_ok=True)
        if self._life() is not None:
            self._point_at(self._live)
            return
        folder = self._state / "placeholder"
        if life_of(folder) is None:
            write_placeholder(folder, self._host, datetime.now(UTC))
        self._told.unlink(missing_ok=True)
        self._point_at(folder)

    def keep(self, *, heed_failures: bool) -> None:
        """Bring the certificate to where it should be.

        Raises:
            NotYetError: what has to come first, or what the authority said.
        """
        with self._alone():
            self._keep(heed_failures=heed_failures)

    def _keep(self, *, heed_failures: bool) -> None:
        if self._life() is None:
            self.restore()
        life = self._life()
        if life is not None:
            self._show()
        if life is None or life.is_due(datetime.now(UTC)):
            if heed_failures:
                self._require_patience()
            self._require_name()
            self._ask()
        self.deploy()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Be the only one who keeps: certbot's own lock would count as a refusal of the authority."""
        self._state.mkdir(parents=True, exist_ok=True)
        with (self._state / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise NotYetError(
                    "another cm-certificate is at work. What it says: "
                    "sudo journalctl -f -u community-metrics-certificate"
                ) from None
            yield

    def deploy(self) -> None:
        """Show the certificate, and store it where it is not stored yet."""
        try:
            self._show()
        finally:
            self.store()  # also when nginx does not take it: the next box need not ask for another

    def _show(self) -> None:
        """Let nginx use the certificate, and then the monitor know of it."""
        text = self._told_text()  # first: nginx is not led to what is damaged
        self._point_at(self._live)
        is_told = self._told.exists() and self._told.read_text(encoding="utf-8") == text
        if is_told and not self._unshown.exists():
            return
        done = subprocess.run(["systemctl", "try-reload-or-restart", "nginx.service"], check=False)
        if done.returncode != 0:
            raise NotYetError(
                f"nginx does not read the certificate in {self._live} (systemctl ended with "
                f"{done.returncode}); it is told again. Why it does not: sudo nginx -t"
            )
        write(self._told, text.encode(), 0o644)
        self._unshown.unlink(missing_ok=True)

    def _life(self) -> Life | None:
        return life_of(self._live)

    def _whole_life(self) -> Life:
        life = self._life()
        if life is None:
            raise NotYetError(
                f"what is in {self._live} is no certificate with its key; it is neither shown nor stored. "
                "The stored one, or a new one, comes with: sudo cm-certificate keep --now"
            )
        return life

    def _point_at(self, folder: Path) -> None:
        """Let nginx read that folder from its next reload on."""
        link = self._state / "current"
        if link.is_symlink() and link.readlink() == folder:
            return
        self._state.mkdir(parents=True, exist_ok=True)
        self._unshown.touch()
        scratch = self._state / "current.new"
        scratch.unlink(missing_ok=True)
        scratch.symlink_to(folder)
        scratch.rename(link)

    def _told_text(self) -> str:
        """Return what the monitor is told: from when to when the certificate is valid."""
        life = self._whole_life()
        return json.dumps({"not_before": life.begin.isoformat(), "not_after": life.end.isoformat()})

    def restore(self) -> None:
        """Lay down what an earlier box stored, if any did."""
        bucket = self._facts["certificates_bucket"]
        client = self._s3()
        # a list, because without the right to list S3 calls a missing object a forbidden one
        if client.list_objects_v2(Bucket=bucket, Prefix=self._key).get("KeyCount", 0) == 0:
            return
        content = client.get_object(Bucket=bucket, Key=self._key)["Body"].read()
        try:
            unpack(content, self._letsencrypt)
        except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise NotYetError(
                f"s3://{bucket}/{self._key} is no archive of certificates ({error}). Take it away, and a new "
                f"certificate is asked for: aws s3 rm s3://{bucket}/{self._key}"
            ) from None
        write(self._stored, tree_digest(self._letsencrypt).encode())
        print(f"restored from s3://{bucket}/{self._key}", flush=True)

    def store(self) -> None:
        """Store what is here, for the next box, unless it is stored already.

        Raises:
            NotYetError: it is damaged, and would take the place of what may be the only good copy.
        """
        self._whole_life()
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

    def _require_patience(self) -> None:
        count, last = self._refusals()
        left = timedelta(seconds=round(last + wait_s(count) - time.time()))
        if left > timedelta():
            raise NotYetError(
                f"The authority refused {count} times; it is asked again in {left}. "
                "Why it refused is in /var/log/letsencrypt/letsencrypt.log. To ask at once: "
                "sudo cm-certificate keep --now"
            )

    def _refusals(self) -> tuple[int, float]:
        """Return how often in a row the authority refused, and when last; a damaged note tells of none."""
        try:
            count, last = json.loads(self._tries.read_text(encoding="utf-8"))
            return int(count), float(last)
        except (OSError, ValueError, TypeError):
            return 0, 0.0

    def _require_name(self) -> None:
        """Make sure that the authority, following the name, will come to this box."""
        name = secrets.token_urlsafe(24)
        path = self._webroot / CHALLENGES / name
        write(path, name.encode(), 0o644)
        self._webroot.joinpath(".well-known").chmod(0o755)
        path.parent.chmod(0o755)
        try:
            for address in addresses_of(self._host):
                said = fetch(address, self._host, f"/{CHALLENGES}/{name}")
                if said != name.encode():
                    raise NotYetError(
                        f"{self._host} leads to {address}, where another machine answers. Until the address "
                        "has moved here, or the record has changed, there is nothing to ask for."
                    )
        finally:
            path.unlink()

    def _ask(self) -> None:
        directory = os.environ.get(DIRECTORY_VARIABLE) or LETS_ENCRYPT
        if not is_reachable(directory):
            raise NotYetError(f"{directory} cannot be reached; nothing was counted.")
        command = [
            "certbot", "certonly", "--non-interactive", "--agree-tos", "--no-eff-email", "--force-renewal",
            "--email", self._facts["alarm_email"], "--server", directory,
            "--webroot", "--webroot-path", str(self._webroot), "--cert-name", self._host,
            "--domain", self._host, "--key-type", "ecdsa", "--deploy-hook", HOOK,
        ]  # fmt: skip
        asked_at = time.time()
        # beside our own trust store; certbot's default is a bundle of its own
        environment = {"REQUESTS_CA_BUNDLE": "/etc/ssl/certs/ca-certificates.crt", **os.environ}
        done = subprocess.run(command, env=environment, check=False)
        if done.returncode == 0:
            self._tries.unlink(missing_ok=True)
            return
        count, _ = self._refusals()
        write(self._tries, json.dumps([count + 1, asked_at]).encode())
        raise NotYetError(f"certbot ended with {done.returncode}; its words are above.")


def life_of(folder: Path) -> Life | None:
    """Return the life of what nginx could serve; what is damaged or has lost its key is none."""
    try:
        certificate = x509.load_pem_x509_certificate((folder / "fullchain.pem").read_bytes())
        key = serialization.load_pem_private_key((folder / "privkey.pem").read_bytes(), None)
    except (FileNotFoundError, ValueError):
        return None
    if key.public_key() != certificate.public_key():
        return None
    return Life(certificate.not_valid_before_utc, certificate.not_valid_after_utc)


def wait_s(count: int) -> float:
    """Return how long to leave the authority alone after so many refusals in a row."""
    return float(min(FIRST_WAIT_S * 4 ** min(count - 1, 10), LONGEST_WAIT_S))


def addresses_of(host: str) -> list[str]:
    """Return every address of a name.

    Raises:
        NotYetError: it has none.
    """
    try:
        found = socket.getaddrinfo(host, 80, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise NotYetError(
            f"{host} has no address yet ({error.strerror}). Make the record that `cdk deploy` printed."
        ) from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def fetch(address: str, host: str, path: str) -> bytes:
    """Return what a machine answers to `http://host/path`.

    Raises:
        NotYetError: it does not.
    """
    connection = http.client.HTTPConnection(address, 80, timeout=HTTP_TIMEOUT_S)
    try:
        connection.request("GET", path, headers={"Host": host})
        return connection.getresponse().read(1000)
    except (OSError, http.client.HTTPException) as error:
        raise NotYetError(f"{host} leads to {address}, which does not answer on port 80: {error}") from None
    finally:
        connection.close()


def is_reachable(url: str) -> bool:
    """Say whether anybody listens at the address of a URL."""
    parts = urlsplit(url)
    with (
        suppress(OSError),
        socket.create_connection((parts.hostname or "", parts.port or 443), HTTP_TIMEOUT_S),
    ):
        return True
    return False


def write_placeholder(folder: Path, host: str, now: datetime) -> None:
    """Write a certificate that nobody trusts, so that nginx can start before there is a real one."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "placeholder, no certificate yet")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + PLACEHOLDER_LIFE)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write(folder / "fullchain.pem", certificate.public_bytes(pem), 0o644)
    write(folder / "privkey.pem", private)


def pack(tree: Path) -> bytes:
    """Return a gzipped tar of a tree, links as links."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        # what says that there is a certificate comes last: half an archive that was laid down is none
        for entry in sorted(tree.iterdir(), key=lambda path: (path.name == "live", path.name)):
            archive.add(entry, arcname=entry.name)
    return raw.getvalue()


def unpack(content: bytes, tree: Path) -> None:
    """Lay a packed tree down, nothing outside it."""
    tree.parent.mkdir(parents=True, exist_ok=True)
    tree.mkdir(mode=0o700, exist_ok=True)
    # all of it first, so that of half an archive nothing is laid down
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(content)), mode="r:") as archive:
        if hasattr(tarfile, "data_filter"):
            archive.extractall(tree, filter="data")
        else:  # Python before 3.11.4, such as Debian 12's, on which the tests run too
            refuse_unsafe(archive.getmembers())
            archive.extractall(tree)  # noqa: S202  every member was checked


def refuse_unsafe(members: list[tarfile.TarInfo]) -> None:
    """Raise for a member that is no file, folder or symbolic link, or that leads out of the tree."""
    links = {PurePosixPath(member.name) for member in members if member.issym()}
    for member in members:
        name = PurePosixPath(member.name)
        target = name.parent / member.linkname if member.issym() else name
        if not (member.isfile() or member.isdir() or member.issym()):
            raise tarfile.TarError(f"{name} is no file, folder or symbolic link")
        if target.is_absolute() or posixpath.normpath(target).split("/")[0] == "..":
            raise tarfile.TarError(f"{name} leads out of the tree")
        if ".." in name.parts or not links.isdisjoint(name.parents):
            raise tarfile.TarError(f"{name} is not named by the folders that it lies in")


def tree_digest(tree: Path) -> str:
    """Return a digest of the names, links and contents of a tree; times do not count."""
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
    """Replace a file in one step, whole also after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(path.name + ".new")
    scratch.touch(mode=0o600)
    with scratch.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    scratch.chmod(mode)
    scratch.rename(path)


def main(arguments: list[str], root: Path = Path("/")) -> int:
    """Do what is asked for; 75 says that it did not work out yet."""
    facts = json.loads((root / DEPLOYMENT).read_text(encoding="utf-8"))
    keeper = Keeper(facts, root)
    actions = {
        ("keep",): lambda: keeper.keep(heed_failures=True),
        ("keep", "--now"): lambda: keeper.keep(heed_failures=False),
        ("prepare",): keeper.prepare,
        ("placeholder",): keeper.placeholder,
        ("deploy",): keeper.deploy,
    }
    action = actions.get(tuple(arguments))
    if action is None:
        print(__doc__, file=sys.stderr)
        return os.EX_USAGE
    try:
        action()
    except NotYetError as reason:
        return not_yet(f"{reason}")
    except (BotoCoreError, ClientError) as error:
        return not_yet(f"the bucket {facts['certificates_bucket']} cannot be used: {error}")
    except OSError as error:
        return not_yet(
            f"{error}. Where the disk is full (df -h /), make room; where certbot is missing: "
            "sudo apt-get install certbot"
        )
    return 0


def not_yet(reason: str) -> int:
    """Say in one line what is awaited, and return the exit code."""
    print(f"not yet: {reason}", flush=True)
    return os.EX_TEMPFAIL


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
