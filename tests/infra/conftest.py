"""Fixtures of the infra tests: Node for the CDK, and one synthesis of each flavour for the session."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock

from tests.host.imds import InstanceMetadata
from tests.host.services import served
from tests.infra.flavours import FLAVOURS, UNACKNOWLEDGED, VARIANTS
from tests.infra.node import NODE_BIN, ROOT, node_environment
from tests.infra.rehearsal.recorder import Recorder, recording
from tests.support.aws import empty_aws

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

# before pytest imports a test: importing `aws_cdk` starts Node, which may not be in PATH
os.environ["JSII_NODE"] = str(NODE_BIN / "node")

SYNTHESIS_S = 600  # of every flavour, on a busy machine; the first test that needs one waits for all


@dataclass(frozen=True, slots=True)
class Assembly:
    """A cloud assembly on disk, the output of `cdk synth`."""

    path: Path

    @property
    def stacks(self) -> dict[str, dict[str, Any]]:
        """Return each stack's template by the stack's short name, such as `host`."""
        return {
            path.name.removeprefix("community-metrics-").removesuffix(".template.json"): json.loads(
                path.read_text(encoding="utf-8")
            )
            for path in sorted(self.path.glob("*.template.json"))
        }

    def resources(self, type_: str, stack: str | None = None) -> list[dict[str, Any]]:
        """Return every resource of a type, in one stack or in all."""
        chosen = self.stacks.values() if stack is None else [self.stacks[stack]]
        return [
            resource
            for template in chosen
            for resource in template["Resources"].values()
            if resource["Type"] == type_
        ]

    def properties_of(self, type_: str, stack: str | None = None) -> list[dict[str, Any]]:
        """Return the properties of every resource of a type, in one stack or in all."""
        return [resource["Properties"] for resource in self.resources(type_, stack)]

    def properties(self, type_: str, stack: str | None = None) -> dict[str, Any]:
        """Return the properties of the only resource of a type."""
        (resource,) = self.resources(type_, stack)
        found: dict[str, Any] = resource["Properties"]
        return found

    @property
    def report(self) -> dict[str, Any]:
        """Return what cdk-nag and CloudFormation's checks found."""
        found: dict[str, Any] = json.loads((self.path / "validation-report.json").read_text(encoding="utf-8"))
        return found


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test that may wait for the synthesis the time for it."""
    for item in items:
        if "assemblies" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(SYNTHESIS_S))


@pytest.fixture(scope="session")
def assemblies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Assembly]:
    """Return the assembly of every flavour, made by the first of the processes that needs one."""
    names = (*FLAVOURS, *VARIANTS, *(f"{name}!" for name in UNACKNOWLEDGED))
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    base = tmp_path_factory.getbasetemp()
    out, done = (base.parent if is_worker else base) / "assemblies", "synthesised"
    with FileLock(f"{out}.lock"):
        if not (out / done).exists():
            out.mkdir(exist_ok=True)
            run_synthesis(out, names)
            (out / done).touch()
    return {name: Assembly(out / name) for name in names}


def run_synthesis(out: Path, names: Sequence[str]) -> None:
    """Synthesise flavours in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.infra.synth", str(out), *names],
        cwd=ROOT,
        env=node_environment(),
        capture_output=True,
        text=True,
        timeout=SYNTHESIS_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(params=tuple(FLAVOURS))
def assembly(request: pytest.FixtureRequest, assemblies: dict[str, Assembly]) -> Assembly:
    return assemblies[request.param]


@pytest.fixture
def smallest(assemblies: dict[str, Assembly]) -> Assembly:
    return assemblies["smallest"]


@pytest.fixture
def fullest(assemblies: dict[str, Assembly]) -> Assembly:
    return assemblies["fullest"]


@pytest.fixture
def serverless(assemblies: dict[str, Assembly]) -> Assembly:
    return assemblies["serverless"]


@pytest.fixture(scope="session")
def metadata() -> Iterator[str]:
    """The URL of a metadata service."""
    server = InstanceMetadata("eu-central-1").server(("127.0.0.1", 0))
    with served(server):
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.fixture
def aws() -> Iterator[Recorder]:
    """An empty AWS in this process, behind a recorder."""
    with empty_aws() as port, recording(port) as recorder:
        yield recorder
