"""The agent of Session Manager: installed with a valid signature only, by the host's own gpgv and apt."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from infra.host.session_manager import PACKAGE
from tests.host.deployment import REGION
from tests.host.mirror import ARCHITECTURE
from tests.support.signed_package import Signer, build_package, stop_agent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.host.box import Box
    from tests.host.world import World

BUCKET = f"amazon-ssm-{REGION}"
INSTALL = """python3 - <<'END'
import sys
sys.path.insert(0, "{host}")
import bootstrap, json, pathlib
facts = json.load(open("/var/lib/community-metrics/deployment.json"))
bootstrap.Installation(pathlib.Path("{host}").parent, facts).install_session_manager()
END"""


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signer]:
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    signer = Signer(tmp_path_factory.mktemp("gpg") / "home", now).create()
    yield signer
    stop_agent(signer)


@pytest.fixture(scope="module")
def package(world: World, signer: Signer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package in the bucket of the region, signed."""
    made = build_package(tmp_path_factory.mktemp("package"), PACKAGE)
    world.client("s3").create_bucket(Bucket=BUCKET)
    for path in (made, signer.sign(made)):
        publish(world, path.name, path.read_bytes())
    return made


@pytest.fixture
def host(make_box: Callable[..., Box], package: Path) -> Box:
    box = make_box(installed=True)
    box.boot()
    box.stop_collecting()
    return box


def publish(world: World, name: str, content: bytes) -> None:
    key = f"latest/debian_{ARCHITECTURE}/{name}"
    world.client("s3").put_object(Bucket=BUCKET, Key=key, Body=content, ACL="public-read")


def run_step(world: World, box: Box, key: str | None) -> str:
    """Run the step of the bootstrap with this key in the release, and return its output."""
    folder = f"/opt/community-metrics/releases/{world.deployment.facts['sha256'][:16]}/host"
    if key is not None:
        assert box.run(f"cat > {folder}/{PACKAGE}.asc", text=key).returncode == 0
    endpoint = "AWS_ENDPOINT_URL=$(systemctl show --property=Environment --value | tr ' ' '\\n' | sed -n "
    endpoint += "'s/^AWS_ENDPOINT_URL=//p')"
    return box.succeeds(f"export {endpoint}; {INSTALL.format(host=folder)}", limit_s=120)


def status(box: Box) -> str:
    return box.run(f"dpkg-query --show --showformat='${{db:Status-Status}}' {PACKAGE}").stdout


def test_the_agent_is_installed_with_the_key_of_the_release(world: World, host: Box, signer: Signer) -> None:
    run_step(world, host, signer.armoured_key())

    assert status(host) == "installed"
    assert host.succeeds(f"systemctl is-active {PACKAGE}") == "active\n"


def test_an_agent_with_another_signature_is_not_installed(
    world: World, host: Box, signer: Signer, package: Path
) -> None:
    publish(world, package.name, b"another package")
    try:
        printed = run_step(world, host, signer.armoured_key())
    finally:
        publish(world, package.name, package.read_bytes())

    assert "warning: amazon-ssm-agent is not installed: its signature is not valid" in printed
    assert status(host) != "installed"


def test_a_release_without_the_key_comes_up_without_the_agent(world: World, host: Box) -> None:
    printed = run_step(world, host, None)

    assert "warning: amazon-ssm-agent is not installed: the release has no amazon-ssm-agent.asc" in printed
    assert status(host) != "installed"
