"""The agent of Session Manager is installed only with a valid signature; a host without it still comes up."""

from __future__ import annotations

import shutil
import textwrap
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from infra.host import session_manager
from infra.host.session_manager import NotInstalledError
from tests.infra.test_bootstrap import add_command, bootstrap
from tests.support.signed_package import Signer, build_package, needs_gpg, stop_agent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.infra.rehearsal.recorder import Recorder

pytestmark = needs_gpg
__all__ = ["bootstrap"]  # a fixture

REGION = "eu-central-1"
BUCKET = f"amazon-ssm-{REGION}"
NOW = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signer]:
    signer = Signer(tmp_path_factory.mktemp("gpg") / "home", NOW).create()
    yield signer
    stop_agent(signer)


@pytest.fixture
def package(tmp_path: Path, signer: Signer) -> Path:
    """A signed package, with its key in `key.asc`."""
    made = build_package(tmp_path, session_manager.PACKAGE)
    signer.sign(made)
    (tmp_path / "key.asc").write_text(signer.armoured_key(), encoding="utf-8")
    return made


@pytest.fixture
def bucket(aws: Recorder, package: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """AWS's public bucket with the package; requests find it without credentials."""
    client = boto3.client(
        "s3",
        region_name=REGION,
        endpoint_url=f"http://127.0.0.1:{aws.server_port}",
        aws_access_key_id="a",
        aws_secret_access_key="b",
    )
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    for path in (package, package.with_name(f"{package.name}.sig")):
        publish(client, path.name, path.read_bytes())
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint)
    return client


def publish(client: Any, name: str, content: bytes) -> None:
    """Put an object into the bucket that everyone may read."""
    client.put_object(Bucket=BUCKET, Key=f"latest/debian_arm64/{name}", Body=content, ACL="public-read")


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dpkg for arm64, and an apt-get that records its arguments in `installed`."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    add_command(tmp_path, "dpkg", "echo arm64")
    add_command(tmp_path, "apt-get", f'echo "$@" >{tmp_path}/installed')
    add_command(tmp_path, "systemctl", f'echo "$@" >{tmp_path}/started')
    return tmp_path


def test_the_signed_package_of_the_region_and_machine_is_installed(
    bucket: Any, aws: Recorder, package: Path, commands: Path
) -> None:
    session_manager.install(REGION, package.with_name("key.asc"))

    installed = (commands / "installed").read_text(encoding="utf-8").split()
    assert installed[-1].endswith(f"/{session_manager.PACKAGE}.deb")
    started = (commands / "started").read_text(encoding="utf-8")
    assert started == f"enable --quiet --now {session_manager.PACKAGE}.service\n"
    # without credentials: the role has no permission for AWS's bucket
    assert {call.action for call in aws.calls} == {"unsigned:?"}


@pytest.mark.parametrize("change", ["package", "signature", "other key"])
def test_a_package_whose_signature_is_not_valid_is_not_installed(
    bucket: Any, package: Path, commands: Path, change: str, tmp_path: Path
) -> None:
    key = package.with_name("key.asc")
    if change == "other key":
        other = Signer(tmp_path / "other", NOW).create()
        key.write_text(other.armoured_key(), encoding="utf-8")
        stop_agent(other)
    else:
        name = f"{package.name}.sig" if change == "signature" else package.name
        publish(bucket, name, b"replaced")

    with pytest.raises(NotInstalledError, match=r"its signature is not valid under key\.asc: gpgv: .*Fix: "):
        session_manager.install(REGION, key)
    assert not (commands / "installed").exists()


def test_a_signature_of_an_expired_key_is_not_valid(package: Path, tmp_path: Path) -> None:
    expired = Signer(tmp_path / "expired", "20200101T000000").create()
    expired.sign(package)
    key = tmp_path / "expired.asc"
    key.write_text(expired.armoured_key(), encoding="utf-8")
    stop_agent(expired)

    with pytest.raises(NotInstalledError, match="if AWS has replaced the key, save the new one"):
        session_manager.check_signature(package, key)


def test_a_file_may_hold_the_old_and_the_new_key_with_the_spaces_of_a_web_page(
    package: Path, signer: Signer, tmp_path: Path
) -> None:
    other = Signer(tmp_path / "other", NOW).create()
    version = signer.armoured_key().replace("BLOCK-----\n", "BLOCK-----\nVersion: GnuPG v2\n", 1)
    key = package.with_name("key.asc")
    key.write_text(textwrap.indent(other.armoured_key() + version, "   "), encoding="utf-8")
    stop_agent(other)

    session_manager.check_signature(package, key)


def test_without_the_key_nothing_is_downloaded_and_the_fix_is_named(aws: Recorder, tmp_path: Path) -> None:
    with pytest.raises(NotInstalledError, match=r"Fix: save AWS's key as infra/host/gone\.asc"):
        session_manager.install(REGION, tmp_path / "gone.asc")
    assert aws.calls == []


def test_a_bucket_that_cannot_be_read_is_named(bucket: Any, package: Path, commands: Path) -> None:
    bucket.delete_object(Bucket=BUCKET, Key="latest/debian_arm64/amazon-ssm-agent.deb.sig")

    expected = f"cannot download s3://{BUCKET}/latest/debian_arm64/amazon-ssm-agent.deb.sig: "
    with pytest.raises(NotInstalledError, match=expected):
        session_manager.install(REGION, package.with_name("key.asc"))


@pytest.mark.parametrize("command", ["apt-get", "systemctl"])
def test_a_failed_installation_is_named(bucket: Any, package: Path, commands: Path, command: str) -> None:
    add_command(commands, command, "exit 100")

    with pytest.raises(NotInstalledError, match=f"cannot be installed or started: .*'{command}'"):
        session_manager.install(REGION, package.with_name("key.asc"))


@pytest.mark.parametrize(("wanted", "warned"), [(True, True), (False, False)])
def test_a_host_without_the_agent_comes_up_and_warns(
    bootstrap: Any, commands: Path, capfd: pytest.CaptureFixture[str], wanted: bool, warned: bool
) -> None:
    add_command(commands, "dpkg-query", "exit 1")
    facts = {"session_manager": wanted, "region": REGION}

    bootstrap.Installation(Path("/nowhere"), facts).install_session_manager()

    out = capfd.readouterr().out
    assert out.startswith("warning: amazon-ssm-agent is not installed: ") is warned
    assert shutil.which("gpgv") is not None
