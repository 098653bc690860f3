"""When a certificate is renewed, how long a failed request delays the next, and restoring from the bucket."""

from __future__ import annotations

import io
import json
import os
import re
import socket
import stat
import tarfile
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler
from typing import TYPE_CHECKING

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra import names
from infra.host import certificate
from infra.host.certificate import CertificateManager, NotReadyError, Validity, tree_digest
from infra.release import HOST_FILES
from tests.host.services import Server, served
from tests.infra.host_python import needs_extraction_filters

if TYPE_CHECKING:
    from pathlib import Path

    from tests.infra.rehearsal.recorder import Recorder

pytestmark = needs_extraction_filters

HOST = "metrics-api.example.org"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DAMAGES = ("empty", "torn", "no key", "empty key", "key of another")
FACTS = {
    "api_host": HOST,
    "alarm_email": "ops@example.org",
    "region": "us-east-1",
    "certificates_bucket": "certificates-of-a-test",
}


@pytest.fixture
def bucket(aws: Recorder, monkeypatch: pytest.MonkeyPatch) -> str:
    """The bucket of certificates on an empty AWS, which this process uses."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "a")
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint)
    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket=FACTS["certificates_bucket"])
    return FACTS["certificates_bucket"]


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The log of a fake `systemctl`, which fails while the file `down` exists."""
    program, calls = tmp_path / "bin/systemctl", tmp_path / "calls"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >>{calls}\ntest ! -e {tmp_path}/down\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    calls.touch()
    return calls


@pytest.mark.parametrize(
    ("life_days", "left_days", "due"),
    [(90, 31, False), (90, 29, True), (45, 16, False), (45, 14, True), (6, 3.1, False), (6, 2.9, True)],
)
def test_a_certificate_is_due_in_its_last_third_and_a_short_one_in_its_last_half(
    life_days: float, left_days: float, due: bool
) -> None:
    validity = Validity(BEGIN, BEGIN + timedelta(days=life_days))

    assert validity.is_due(validity.end - timedelta(days=left_days)) is due


@given(st.integers(1, 120), st.floats(0, 1))
def test_every_certificate_is_due_before_its_alarm(days: int, left: float) -> None:
    validity = Validity(BEGIN, BEGIN + timedelta(days=days))

    assert validity.is_due(validity.end - timedelta(days=days * min(left, 0.25)))


def delay_s(unit: dict[str, str], restart: int) -> float:
    """Return how long systemd waits before a restart (`service_restart_usec_next` in its source)."""
    units = {"s": 1, "min": 60, "h": 3600}
    first, last = (
        int(found[1]) * units[found[2]]
        for name in ("RestartSec", "RestartMaxDelaySec")
        if (found := re.fullmatch(r"(\d+)(s|min|h)", unit[name]))
    )
    steps = int(unit["RestartSteps"])
    return float(last if restart > steps else first * (last / first) ** ((restart - 1) / steps))


def test_at_most_five_requests_fail_in_an_hour() -> None:
    path = HOST_FILES / "files/etc/systemd/system/community-metrics-certificate.service"
    unit = dict(re.findall(r"^(\w+)=(.*)$", path.read_text(encoding="utf-8"), re.MULTILINE))
    asked_at = [0.0]
    while asked_at[-1] < 3600:
        asked_at.append(asked_at[-1] + delay_s(unit, len(asked_at)))

    assert unit["Restart"] == "on-failure"
    assert len([moment for moment in asked_at if moment < 3600]) <= 5
    assert delay_s(unit, 100) == 6 * 3600


class Stopped(Exception):  # noqa: N818  ends the test, as a stop of the unit would
    """The program waits."""


@pytest.fixture
def certbot(systemctl: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The log of a fake `certbot`, which fails."""
    program, calls = systemctl.parent / "bin/certbot", systemctl.parent / "requests"
    program.write_text(f'#!/bin/sh\necho "$@" >>{calls}\nexit 1\n', encoding="utf-8")
    program.chmod(0o755)
    return calls


def test_the_checks_are_repeated_and_a_reason_is_printed_once(
    bucket: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = {**FACTS, "api_host": "nowhere.invalid"}
    certificate.write(tmp_path / certificate.DEPLOYMENT, json.dumps(facts).encode())
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise Stopped("three pauses")

    with pytest.raises(Stopped, match="three pauses"):
        certificate.main(["renew"], tmp_path, pause)

    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("not ready: nowhere.invalid has no address")
    assert set(pauses) == {certificate.CHECK_INTERVAL_S}


def test_a_failed_request_ends_the_program_so_that_systemd_delays_the_next(
    bucket: str,
    certbot: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    facts = {**FACTS, "api_host": "127.0.0.1"}
    certificate.write(tmp_path / certificate.DEPLOYMENT, json.dumps(facts).encode())
    (tmp_path / certificate.WEBROOT).mkdir(parents=True)
    own = Server(
        ("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(tmp_path / certificate.WEBROOT))
    )
    with socket.create_server(("127.0.0.1", 0)) as authority, served(own):
        monkeypatch.setattr(certificate, "HTTP_PORT", own.server_port)
        address = f"https://127.0.0.1:{authority.getsockname()[1]}/directory"
        monkeypatch.setenv(certificate.DIRECTORY_VARIABLE, address)

        assert certificate.main(["renew"], tmp_path, never) == os.EX_TEMPFAIL

    assert len(certbot.read_text(encoding="utf-8").splitlines()) == 1
    assert "To request now: sudo systemctl restart community-metrics-certificate" in capsys.readouterr().out


def never(seconds: float) -> None:
    raise AssertionError(f"waited {seconds} s")


def test_the_prefix_is_the_one_in_the_policy_of_the_role() -> None:
    assert certificate.PREFIX == names.CERTIFICATES_PREFIX


def test_a_host_without_a_certificate_gets_one_placeholder(tmp_path: Path) -> None:
    manager = CertificateManager(FACTS, tmp_path)
    manager.placeholder()
    current = tmp_path / certificate.STATE / "current"
    first = (current / "fullchain.pem").read_bytes()

    manager.placeholder()

    assert (current / "fullchain.pem").read_bytes() == first
    assert stat.S_IMODE((current / "privkey.pem").stat().st_mode) == 0o600


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_placeholder_is_replaced(damage: str, tmp_path: Path) -> None:
    manager, folder = CertificateManager(FACTS, tmp_path), tmp_path / certificate.STATE / "placeholder"
    manager.placeholder()
    damage_certificate(folder, damage)

    manager.placeholder()

    assert certificate.validity_of(folder) is not None


def test_the_next_host_restores_the_stored_certificate(bucket: str, tmp_path: Path) -> None:
    make_tree(tmp_path / "one")
    CertificateManager(FACTS, tmp_path / "one").store()

    CertificateManager(FACTS, tmp_path / "two").prepare()

    one, two = (tmp_path / host / certificate.LETSENCRYPT for host in ("one", "two"))
    assert tree_digest(one) == tree_digest(two)
    assert (two / "live" / HOST / "privkey.pem").is_symlink()
    assert stat.S_IMODE((two / "archive" / HOST / "privkey1.pem").stat().st_mode) == 0o600
    assert (tmp_path / "two" / certificate.STATE / "current").readlink() == two / "live" / HOST


def test_a_failed_reload_is_retried(bucket: str, systemctl: Path, tmp_path: Path) -> None:
    make_tree(tmp_path)
    manager, status = CertificateManager(FACTS, tmp_path), tmp_path / certificate.STATUS
    (tmp_path / "down").touch()
    with pytest.raises(NotReadyError, match="For the reason: sudo nginx -t"):
        manager.renew()
    assert not status.exists()

    (tmp_path / "down").unlink()
    for _ in range(3):
        manager.renew()

    assert status.exists()
    assert systemctl.read_text(encoding="utf-8").splitlines() == ["try-reload-or-restart nginx.service"] * 2


def test_a_certificate_is_stored_even_if_nginx_cannot_load_it(
    bucket: str, systemctl: Path, aws: Recorder, tmp_path: Path
) -> None:
    make_tree(tmp_path)
    (tmp_path / "down").touch()

    with pytest.raises(NotReadyError, match="nginx"):
        CertificateManager(FACTS, tmp_path).deploy()

    assert "s3:PutObject" in [call.action for call in aws.calls]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_certificate_is_restored_from_the_bucket(
    damage: str, bucket: str, systemctl: Path, tmp_path: Path
) -> None:
    make_tree(tmp_path)
    manager, live = CertificateManager(FACTS, tmp_path), tmp_path / certificate.LETSENCRYPT / "live" / HOST
    manager.renew()
    whole, current = tree_digest(live), tmp_path / certificate.STATE / "current"
    damage_certificate(live, damage)

    manager.placeholder()
    assert current.readlink() != live
    assert not (tmp_path / certificate.STATUS).exists()

    manager.renew()
    assert (current.readlink(), tree_digest(live)) == (live, whole)
    assert len(systemctl.read_text(encoding="utf-8").splitlines()) == 2


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_certificate_is_neither_loaded_nor_stored(
    damage: str, bucket: str, systemctl: Path, aws: Recorder, tmp_path: Path
) -> None:
    make_tree(tmp_path)
    manager, live = CertificateManager(FACTS, tmp_path), tmp_path / certificate.LETSENCRYPT / "live" / HOST
    manager.store()
    damage_certificate(live, damage)
    manager.placeholder()

    with pytest.raises(NotReadyError, match=r"with its key.*Fix: sudo systemctl restart"):
        manager.deploy()

    assert [call.action for call in aws.calls].count("s3:PutObject") == 1
    assert (tmp_path / certificate.STATE / "current").readlink() != live
    assert systemctl.read_text(encoding="utf-8") == ""


def test_a_truncated_archive_writes_no_file(bucket: str, tmp_path: Path) -> None:
    make_tree(tmp_path / "one")
    content = certificate.pack(tmp_path / "one" / certificate.LETSENCRYPT)
    client = boto3.client("s3", region_name="us-east-1")
    client.put_object(Bucket=bucket, Key=f"certificates/{HOST}.tar.gz", Body=content[: len(content) // 2])

    with pytest.raises(NotReadyError, match="is not a valid archive"):
        CertificateManager(FACTS, tmp_path / "two").restore()

    assert not list((tmp_path / "two").rglob("*.pem"))


def test_an_unchanged_certificate_is_not_stored_again(bucket: str, aws: Recorder, tmp_path: Path) -> None:
    make_tree(tmp_path)
    manager = CertificateManager(FACTS, tmp_path)
    manager.store()
    (tmp_path / certificate.LETSENCRYPT / "renewal").mkdir()

    manager.store()
    manager.store()

    assert [call.action for call in aws.calls].count("s3:PutObject") == 2


def test_an_empty_bucket_changes_nothing(bucket: str, tmp_path: Path) -> None:
    CertificateManager(FACTS, tmp_path).restore()

    assert not (tmp_path / certificate.LETSENCRYPT).exists()


def test_an_invalid_archive_is_reported_with_its_fix(bucket: str, tmp_path: Path) -> None:
    key = f"certificates/{HOST}.tar.gz"
    boto3.client("s3", region_name="us-east-1").put_object(Bucket=bucket, Key=key, Body=b"no archive")

    with pytest.raises(NotReadyError, match=f"aws s3 rm s3://{bucket}/{key}"):
        CertificateManager(FACTS, tmp_path).restore()


def test_no_file_is_written_outside_the_folder(bucket: str, tmp_path: Path) -> None:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("../../cron.d/root"))
    client = boto3.client("s3", region_name="us-east-1")
    client.put_object(Bucket=bucket, Key=f"certificates/{HOST}.tar.gz", Body=raw.getvalue())

    with pytest.raises(NotReadyError, match="is not a valid archive"):
        CertificateManager(FACTS, tmp_path).restore()


def test_a_bucket_error_is_reported_in_one_line(
    bucket: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = {**FACTS, "certificates_bucket": f"no-{bucket}"}
    certificate.write(tmp_path / certificate.DEPLOYMENT, json.dumps(facts).encode())

    with pytest.raises(AssertionError, match="waited 15 s"):
        certificate.main(["renew"], tmp_path, never)

    assert capsys.readouterr().out.startswith(f"not ready: the bucket no-{bucket} cannot be used: ")


def test_a_full_disk_is_reported_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    certificate.write(tmp_path / certificate.DEPLOYMENT, json.dumps(FACTS).encode())
    folder = tmp_path / certificate.STATE / "placeholder"
    folder.mkdir(parents=True)
    (folder / "fullchain.pem.new").symlink_to("/dev/full")

    assert certificate.main(["placeholder"], tmp_path) == os.EX_TEMPFAIL

    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("not ready: [Errno 28] No space left on device")
    assert "df -h /" in line


def make_tree(root: Path) -> None:
    """Write the files that certbot writes for its first certificate."""
    folder = root / certificate.LETSENCRYPT
    live, archive = folder / "live" / HOST, folder / "archive" / HOST
    certificate.write_placeholder(archive, HOST, datetime.now(UTC))
    live.mkdir(parents=True)
    for name in ("fullchain", "privkey"):
        (archive / f"{name}.pem").rename(archive / f"{name}1.pem")
        (live / f"{name}.pem").symlink_to(f"../../archive/{HOST}/{name}1.pem")


def damage_certificate(live: Path, damage: str) -> None:
    """Damage a certificate as a full disk or a person might."""
    chain, key = live / "fullchain.pem", live / "privkey.pem"
    if damage == "no key":
        key.unlink()
    elif damage == "empty key":
        key.write_bytes(b"")
    elif damage == "key of another":
        certificate.write_placeholder(live.parent / "other", HOST, datetime.now(UTC))
        key.write_bytes((live.parent / "other/privkey.pem").read_bytes())
    else:
        chain.write_bytes(chain.read_bytes()[:100] if damage == "torn" else b"")
