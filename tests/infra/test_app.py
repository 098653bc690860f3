"""The CDK app, started as the CLI starts it."""

from __future__ import annotations

import ast
import json
import resource
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from infra.release import HOST_FILES
from tests.infra.flavours import SERVERLESS
from tests.infra.node import ROOT, node_environment
from tests.infra.rehearsal.stage import as_toml

if TYPE_CHECKING:
    from pathlib import Path

MODULES = sorted([ROOT / "app.py", *(ROOT / "infra").rglob("*.py")])


def start(deployment: Path, out: Path, **context: str) -> subprocess.CompletedProcess[str]:
    """Start the app with the environment that the CLI sets."""
    flags = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    variables = {
        "CDK_CONTEXT_JSON": json.dumps({**flags, "deployment": str(deployment), **context}),
        "CDK_OUTDIR": str(out),
    }
    return subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env={**node_environment(), **variables},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def test_without_a_deployment_file_nothing_is_synthesised(tmp_path: Path) -> None:
    done = start(tmp_path / "deployment.toml", tmp_path / "out")

    assert done.returncode == 2
    assert done.stderr.strip() == (
        f"{tmp_path}/deployment.toml does not exist. "
        "Fix: run `cp deployment.example.toml deployment.toml` and edit it."
    )
    assert not list(tmp_path.glob("out/*.template.json"))


def test_an_invalid_file_is_reported_in_one_message(tmp_path: Path) -> None:
    example = (ROOT / "deployment.example.toml").read_text(encoding="utf-8")
    invalid = tmp_path / "deployment.toml"
    invalid.write_text(example.replace('"ops@example.org"', '"nobody"').replace("https://", "http://"))

    done = start(invalid, tmp_path / "out")

    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 4  # a headline and three errors, no traceback
    assert not list(tmp_path.glob("out/*.template.json"))


def test_a_synthesis_takes_less_than_30_s(tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)

    done = start(ROOT / "deployment.example.toml", tmp_path / "out")

    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    has_key = (HOST_FILES / "amazon-ssm-agent.asc").exists()
    assert ("could not log in. Fix: save AWS's public key" in done.stderr) is not has_key
    assert len(list(tmp_path.glob("out/*.template.json"))) == 6
    # CPU time: elapsed time depends on the load of the machine
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 30


def names(out: Path) -> set[str]:
    return {
        path.name.split(".")[0].removeprefix("community-metrics-") for path in out.glob("*.template.json")
    }


@pytest.fixture
def without_image(tmp_path: Path) -> Path:
    """Return a deployment file with functions, a pipeline, and no image."""
    path = tmp_path / "deployment.toml"
    content = {key: value for key, value in SERVERLESS.items() if key != "lambda_image"}
    path.write_text(as_toml({**content, "github_repository": "acme/metrics"}), encoding="utf-8")
    return path


def test_without_an_image_the_stack_of_its_repository_can_be_deployed(
    without_image: Path, tmp_path: Path
) -> None:
    done = start(without_image, tmp_path / "out")

    assert done.returncode == 0, done.stderr
    assert "run `make image`" in done.stderr
    assert names(tmp_path / "out") == {"secrets", "storage", "pipeline"}


def test_with_a_placeholder_for_the_image_every_stack_can_be_compared_and_removed(
    without_image: Path, tmp_path: Path
) -> None:
    done = start(without_image, tmp_path / "out", placeholder_image="true")

    assert done.returncode == 0, done.stderr
    assert "lambda_image is not set" not in done.stderr
    first = {"secrets", "storage", "pipeline"}
    assert names(tmp_path / "out") == {*first, "monitoring", "serverless", "dns", "health"}
    template = (tmp_path / "out/community-metrics-serverless.template.json").read_text(encoding="utf-8")
    assert "0" * 64 in template


def test_the_placeholder_does_not_replace_the_image_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "deployment.toml").write_text(as_toml(SERVERLESS), encoding="utf-8")

    done = start(tmp_path / "deployment.toml", tmp_path / "out", placeholder_image="true")

    assert done.returncode == 0, done.stderr
    template = (tmp_path / "out/community-metrics-serverless.template.json").read_text(encoding="utf-8")
    assert SERVERLESS["lambda_image"] in template


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_infrastructure_never_imports_the_package(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        assert not any(name.split(".")[0] == "community_metrics" for name in names)
