"""The stage of the rehearsal: moto's server, a copy of the tree, the pinned CDK CLI."""

from __future__ import annotations

import shlex
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import urlopen

import boto3

from tests.infra.node import ROOT, node_environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACCOUNT = "123456789012"
# the files that a synthesis reads, copied so that a test can change them
PARTS = (
    "app.py", "cdk.json", "infra", "runtime", "seed_data", "pyproject.toml", "requirements.lock", "README.md",
    "LICENSE",
)  # fmt: skip
_KEYS = {"AWS_ACCESS_KEY_ID": "rehearsal", "AWS_SECRET_ACCESS_KEY": "rehearsal"}


@dataclass(frozen=True, slots=True)
class Stage:
    """The folder and the server of one rehearsal."""

    folder: Path
    port: int
    log: list[str] = field(default_factory=list)

    @property
    def tree(self) -> Path:
        """The copy of the repository that is deployed."""
        return self.folder / "tree"

    @property
    def endpoint(self) -> str:
        """The URL of the server; the CLI prepends a bucket's name to its host."""
        return f"http://localhost:{self.port}"

    def environment(self, region: str) -> dict[str, str]:
        """Return the environment of a program that uses this AWS."""
        own = {
            **_KEYS,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            # the CLI caches the account of a key, and every rehearsal has the same keys
            "CDK_HOME": str(self.folder / "cdk-home"),
            "CDK_DISABLE_CLI_TELEMETRY": "true",
        }
        return {**node_environment(), **own}

    def client(self, service: str, region: str) -> Any:
        """Return a boto3 client of this AWS."""
        return boto3.client(
            service,  # type: ignore[call-overload]  # the name is only known when it runs
            region_name=region,
            endpoint_url=self.endpoint,
            aws_access_key_id=_KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=_KEYS["AWS_SECRET_ACCESS_KEY"],
        )

    def write_settings(self, content: dict[str, Any]) -> None:
        """Write the deployment file."""
        (self.tree / "deployment.toml").write_text(as_toml(content), encoding="utf-8")

    def cdk(self, *arguments: str, region: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the pinned CLI in the copied tree."""
        done = subprocess.run(
            [
                str(ROOT / "node_modules/.bin/cdk"),
                *arguments,
                "--app",
                shlex.join([sys.executable, "app.py"]),
            ],
            cwd=self.tree,
            env=self.environment(region),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=480,
            check=False,
        )
        self.log.append(done.stdout)
        assert done.returncode == 0 or not check, done.stdout
        return done

    def bootstrap(self, *regions: str) -> None:
        """Bootstrap each region, without a synthesis."""
        done = subprocess.run(
            [
                str(ROOT / "node_modules/.bin/cdk"),
                "bootstrap",
                *(f"aws://{ACCOUNT}/{name}" for name in regions),
            ],
            cwd=self.folder,
            env=self.environment(regions[0]),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stdout

    def deploy(self, region: str, *stacks: str) -> str:
        """Deploy every stack, or these alone, with options for what moto does not support."""
        chosen = (*stacks, "--exclusively") if stacks else ("--all",)
        options = ("--require-approval", "never", "--method=direct", "--no-previous-parameters")
        return self.cdk("deploy", *chosen, *options, region=region).stdout

    def python(self, *arguments: str) -> None:
        """Run a Python module of the copied tree."""
        done = subprocess.run(
            [sys.executable, "-m", *arguments], cwd=self.tree, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def as_toml(content: dict[str, Any]) -> str:
    """Return the text of a deployment file."""
    return "".join(f"{key} = {_toml(value)}\n" for key, value in content.items())


@contextmanager
def open_stage(folder: Path) -> Iterator[Stage]:
    """Start a server for one rehearsal, and stop it afterwards."""
    stage = Stage(folder, _free_port())
    _copy_tree(stage.tree)
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.infra.rehearsal.server", str(stage.port)],
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
        try:
            _wait_until_it_answers(stage.endpoint)
            yield stage
        finally:
            server.terminate()
            server.wait(timeout=60)  # it ends what it has in hand; a busy machine took more than 10 s


def _copy_tree(target: Path) -> None:
    target.mkdir()
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, target / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target / part)


def _wait_until_it_answers(endpoint: str) -> None:
    for _ in range(960):  # a busy machine takes a minute to import moto
        try:
            urlopen(f"{endpoint}/moto-api/", timeout=5).close()  # noqa: S310  a loopback address
        except (URLError, OSError):
            time.sleep(0.25)
        else:
            return
    raise AssertionError("moto's server did not start; see server.log")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)
