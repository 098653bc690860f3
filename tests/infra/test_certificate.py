"""When a certificate is due, how long a refusal is remembered, and that what is stored comes back whole."""

from __future__ import annotations

import fcntl
import io
import json
import os
import stat
import tarfile
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra import names
from infra.host import certificate
from infra.host.certificate import Keeper, Life, NotYetError, tree_digest, wait_s

if TYPE_CHECKING:
    from pathlib import Path

    from tests.infra.rehearsal.recorder import Recorder

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
    """The bucket of certificates on an empty AWS, which this process takes for the real one."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "a")
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint)
    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket=FACTS["certificates_bucket"])
    return FACTS["certificates_bucket"]


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `systemctl` that does nothing; this file has its words, and it fails while `down` is there."""
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
def test_a_certificate_is_due_in_the_last_third_and_a_short_one_in_the_last_half(
    life_days: float, left_days: float, due: bool
) -> None:
    life = Life(BEGIN, BEGIN + timedelta(days=life_days))

    assert life.is_due(life.end - timedelta(days=left_days)) is due


@given(st.integers(1, 120), st.floats(0, 1))
def test_every_certificate_is_due_before_its_alarm(days: int, left: float) -> None:
    life = Life(BEGIN, BEGIN + timedelta(days=days))

    assert life.is_due(life.end - timedelta(days=days * min(left, 0.25)))


def test_an_hour_sees_at_most_five_refusals() -> None:
    asked_at = [0.0]
    while asked_at[-1] < 3600:
        asked_at.append(asked_at[-1] + wait_s(len(asked_at)))

    assert len([moment for moment in asked_at if moment < 3600]) <= 5
    assert wait_s(100) == certificate.LONGEST_WAIT_S


def test_a_refusal_is_heeded_until_its_time_has_passed(bucket: str, tmp_path: Path) -> None:
    tries = tmp_path / certificate.STATE / "tries.json"
    certificate.write(tries, json.dumps([3, time.time()]).encode())
    keeper = Keeper({**FACTS, "api_host": "nowhere.invalid"}, tmp_path)

    with pytest.raises(NotYetError, match="refused 3 times; it is asked again in 0:04:00"):
        keeper.keep(heed_failures=True)
    with pytest.raises(NotYetError, match="has no address yet"):
        keeper.keep(heed_failures=False)
    certificate.write(tries, json.dumps([3, time.time() - wait_s(3)]).encode())
    with pytest.raises(NotYetError, match="has no address yet"):
        keeper.keep(heed_failures=True)


@pytest.mark.parametrize("note", ["", "[3", "7", "[1]", "[null, null]"])
def test_a_damaged_note_of_refusals_counts_as_none(note: str, bucket: str, tmp_path: Path) -> None:
    certificate.write(tmp_path / certificate.STATE / "tries.json", note.encode())
    keeper = Keeper({**FACTS, "api_host": "nowhere.invalid"}, tmp_path)

    with pytest.raises(NotYetError, match="has no address yet"):
        keeper.keep(heed_failures=True)


def test_the_prefix_is_the_one_that_the_role_may_use() -> None:
    assert certificate.PREFIX == names.CERTIFICATES_PREFIX


def test_a_box_without_a_certificate_gets_a_placeholder_once(tmp_path: Path) -> None:
    keeper = Keeper(FACTS, tmp_path)
    keeper.placeholder()
    current = tmp_path / certificate.STATE / "current"
    first = (current / "fullchain.pem").read_bytes()

    keeper.placeholder()

    assert (current / "fullchain.pem").read_bytes() == first
    assert stat.S_IMODE((current / "privkey.pem").stat().st_mode) == 0o600


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_placeholder_is_written_anew(damage: str, tmp_path: Path) -> None:
    keeper, folder = Keeper(FACTS, tmp_path), tmp_path / certificate.STATE / "placeholder"
    keeper.placeholder()
    damage_certificate(folder, damage)

    keeper.placeholder()

    assert certificate.life_of(folder) is not None


def test_what_one_box_stored_the_next_one_has(bucket: str, tmp_path: Path) -> None:
    make_tree(tmp_path / "one")
    Keeper(FACTS, tmp_path / "one").store()

    Keeper(FACTS, tmp_path / "two").prepare()

    one, two = (tmp_path / box / certificate.LETSENCRYPT for box in ("one", "two"))
    assert tree_digest(one) == tree_digest(two)
    assert (two / "live" / HOST / "privkey.pem").is_symlink()
    assert stat.S_IMODE((two / "archive" / HOST / "privkey1.pem").stat().st_mode) == 0o600
    assert (tmp_path / "two" / certificate.STATE / "current").readlink() == two / "live" / HOST


def test_a_reload_that_failed_is_asked_for_again(bucket: str, systemctl: Path, tmp_path: Path) -> None:
    make_tree(tmp_path)
    keeper, told = Keeper(FACTS, tmp_path), tmp_path / certificate.TOLD
    (tmp_path / "down").touch()
    with pytest.raises(NotYetError, match="Why it does not: sudo nginx -t"):
        keeper.keep(heed_failures=True)
    assert not told.exists()

    (tmp_path / "down").unlink()
    for _ in range(3):
        keeper.keep(heed_failures=True)

    assert told.exists()
    assert systemctl.read_text(encoding="utf-8").splitlines() == ["try-reload-or-restart nginx.service"] * 2


def test_a_certificate_that_nginx_does_not_take_is_stored_all_the_same(
    bucket: str, systemctl: Path, aws: Recorder, tmp_path: Path
) -> None:
    make_tree(tmp_path)
    (tmp_path / "down").touch()

    with pytest.raises(NotYetError):
        Keeper(FACTS, tmp_path).deploy()

    assert "s3:PutObject" in [call.action for call in aws.calls]


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_counts_as_none_and_comes_back_from_the_bucket(
    damage: str, bucket: str, systemctl: Path, tmp_path: Path
) -> None:
    make_tree(tmp_path)
    keeper, live = Keeper(FACTS, tmp_path), tmp_path / certificate.LETSENCRYPT / "live" / HOST
    keeper.keep(heed_failures=True)
    whole, current = tree_digest(live), tmp_path / certificate.STATE / "current"
    damage_certificate(live, damage)

    keeper.placeholder()
    assert current.readlink() != live
    assert not (tmp_path / certificate.TOLD).exists()

    keeper.keep(heed_failures=True)
    assert (current.readlink(), tree_digest(live)) == (live, whole)
    assert len(systemctl.read_text(encoding="utf-8").splitlines()) == 2


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_is_neither_shown_nor_stored_over_the_good_one(
    damage: str, bucket: str, systemctl: Path, aws: Recorder, tmp_path: Path
) -> None:
    make_tree(tmp_path)
    keeper, live = Keeper(FACTS, tmp_path), tmp_path / certificate.LETSENCRYPT / "live" / HOST
    keeper.store()
    damage_certificate(live, damage)
    keeper.placeholder()

    with pytest.raises(NotYetError, match=r"with its key.*: sudo cm-certificate keep --now"):
        keeper.deploy()

    assert [call.action for call in aws.calls].count("s3:PutObject") == 1
    assert (tmp_path / certificate.STATE / "current").readlink() != live
    assert systemctl.read_text(encoding="utf-8") == ""


def test_of_an_archive_that_is_cut_off_nothing_is_laid_down(bucket: str, tmp_path: Path) -> None:
    make_tree(tmp_path / "one")
    content = certificate.pack(tmp_path / "one" / certificate.LETSENCRYPT)
    client = boto3.client("s3", region_name="us-east-1")
    client.put_object(Bucket=bucket, Key=f"certificates/{HOST}.tar.gz", Body=content[: len(content) // 2])

    with pytest.raises(NotYetError, match="is no archive of certificates"):
        Keeper(FACTS, tmp_path / "two").restore()

    assert not list((tmp_path / "two").rglob("*.pem"))


def test_only_one_keeps_at_a_time(bucket: str, tmp_path: Path) -> None:
    keeper, lock = Keeper(FACTS, tmp_path), tmp_path / certificate.STATE / "lock"
    lock.parent.mkdir(parents=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(NotYetError, match="another cm-certificate is at work"):
            keeper.keep(heed_failures=False)

    assert not (tmp_path / certificate.STATE / "tries.json").exists()


def test_what_is_stored_is_not_stored_again(bucket: str, aws: Recorder, tmp_path: Path) -> None:
    make_tree(tmp_path)
    keeper = Keeper(FACTS, tmp_path)
    keeper.store()
    (tmp_path / certificate.LETSENCRYPT / "renewal").mkdir()

    keeper.store()
    keeper.store()

    assert [call.action for call in aws.calls].count("s3:PutObject") == 2


def test_an_empty_bucket_leaves_the_box_as_it_is(bucket: str, tmp_path: Path) -> None:
    Keeper(FACTS, tmp_path).restore()

    assert not (tmp_path / certificate.LETSENCRYPT).exists()


def test_what_is_no_archive_is_named_with_its_mend(bucket: str, tmp_path: Path) -> None:
    key = f"certificates/{HOST}.tar.gz"
    boto3.client("s3", region_name="us-east-1").put_object(Bucket=bucket, Key=key, Body=b"no archive")

    with pytest.raises(NotYetError, match=f"aws s3 rm s3://{bucket}/{key}"):
        Keeper(FACTS, tmp_path).restore()


def test_nothing_is_laid_outside_the_tree(bucket: str, tmp_path: Path) -> None:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("../../cron.d/root"))
    client = boto3.client("s3", region_name="us-east-1")
    client.put_object(Bucket=bucket, Key=f"certificates/{HOST}.tar.gz", Body=raw.getvalue())

    with pytest.raises(NotYetError, match="is no archive of certificates"):
        Keeper(FACTS, tmp_path).restore()


def member(name: str, kind: bytes = tarfile.REGTYPE, to: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, to
    return made


@pytest.mark.parametrize(
    "unsafe",
    [
        [member("../x")],
        [member("/x")],
        [member("a/../../x")],
        [member("a", tarfile.SYMTYPE, "..")],
        [member("a/b", tarfile.SYMTYPE, "../../x")],
        [member("a", tarfile.SYMTYPE, "/x")],
        [member("a", tarfile.SYMTYPE, "b"), member("a/x")],
        [member("a", tarfile.LNKTYPE, "/x")],
        [member("a", tarfile.CHRTYPE)],
        [member("a", tarfile.FIFOTYPE)],
    ],
)
def test_a_python_without_extraction_filters_refuses_the_same(unsafe: list[tarfile.TarInfo]) -> None:
    with pytest.raises(tarfile.TarError):
        certificate.refuse_unsafe(unsafe)


def test_a_python_without_extraction_filters_takes_what_certbot_lays_down() -> None:
    link = member("live/host/cert.pem", tarfile.SYMTYPE, "../../archive/host/cert1.pem")
    certificate.refuse_unsafe([member("live", tarfile.DIRTYPE), link, member("archive/host/cert1.pem")])


def test_a_bucket_that_cannot_be_used_is_a_reason_like_the_others(
    bucket: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = {**FACTS, "certificates_bucket": f"no-{bucket}"}
    certificate.write(tmp_path / certificate.DEPLOYMENT, json.dumps(facts).encode())

    assert certificate.main(["keep"], tmp_path) == os.EX_TEMPFAIL

    assert capsys.readouterr().out.startswith(f"not yet: the bucket no-{bucket} cannot be used: ")


def test_a_full_disk_is_a_reason_like_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    certificate.write(tmp_path / certificate.DEPLOYMENT, json.dumps(FACTS).encode())
    folder = tmp_path / certificate.STATE / "placeholder"
    folder.mkdir(parents=True)
    (folder / "fullchain.pem.new").symlink_to("/dev/full")

    assert certificate.main(["placeholder"], tmp_path) == os.EX_TEMPFAIL

    (said,) = capsys.readouterr().out.splitlines()
    assert said.startswith("not yet: [Errno 28] No space left on device")
    assert "df -h /" in said


def make_tree(root: Path) -> None:
    """Lay down what certbot would have after a first issue."""
    folder = root / certificate.LETSENCRYPT
    live, archive = folder / "live" / HOST, folder / "archive" / HOST
    certificate.write_placeholder(archive, HOST, datetime.now(UTC))
    live.mkdir(parents=True)
    for name in ("fullchain", "privkey"):
        (archive / f"{name}.pem").rename(archive / f"{name}1.pem")
        (live / f"{name}.pem").symlink_to(f"../../archive/{HOST}/{name}1.pem")


def damage_certificate(live: Path, damage: str) -> None:
    """Do to a certificate what a full disk or a hand may do."""
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
