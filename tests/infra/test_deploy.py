"""`make deploy` of a serverless deployment without an image, as the pipeline runs it, on moto's server."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from infra.diff_comment import comment
from tests.infra.flavours import SERVERLESS
from tests.infra.node import ROOT
from tests.infra.rehearsal import docker
from tests.infra.rehearsal.stage import ACCOUNT, Stage, open_stage

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "us-east-1"
OPTIONS = (
    "--require-approval", "never", "--method=direct", "--no-previous-parameters",
    "--app", shlex.join([sys.executable, "app.py"]),
)  # fmt: skip
pytestmark = pytest.mark.timeout(540)


@dataclass(frozen=True, slots=True)
class Deployed:
    """The stage after `make deploy` and two `make image`, and what they printed."""

    stage: Stage
    printed: str
    images: tuple[str, str]
    comment: str

    def tags(self) -> dict[str, list[str]]:
        """Return the tags of each image in the repository, by its digest."""
        described = self.stage.client("ecr", REGION).describe_images(repositoryName="community-metrics")
        return {image["imageDigest"]: image.get("imageTags", []) for image in described["imageDetails"]}

    def role(self, prefix: str) -> dict[str, Any]:
        """Return the role of the pipeline stack whose name begins with `prefix`."""
        roles = self.stage.client("iam", REGION).list_roles()["Roles"]
        (found,) = [
            role for role in roles if role["RoleName"].startswith(f"community-metrics-pipeline-{prefix}")
        ]
        chosen: dict[str, Any] = found
        return chosen


def run(stage: Stage, module: str, *options: str) -> str:
    tools = f"{stage.folder / 'bin'}{os.pathsep}{ROOT / 'node_modules/.bin'}{os.pathsep}"
    environment = stage.environment(REGION)
    done = subprocess.run(
        [sys.executable, "-m", module, *options],
        cwd=stage.tree,
        env={**environment, "PATH": tools + environment["PATH"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=480,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with open_stage(tmp_path_factory.mktemp("stage")) as stage:
        docker.install(stage.folder / "bin")
        stage.bootstrap(REGION)
        made = stage.client("route53", REGION).create_hosted_zone(Name="example.org", CallerReference="one")
        zone = made["HostedZone"]["Id"].rpartition("/")[2]
        content = {key: value for key, value in SERVERLESS.items() if key != "lambda_image"}
        repository = {"github_repository": "lancedb/community-metrics"}
        stage.write_settings({**content, **repository, "hosted_zone_id": zone})
        printed = run(stage, "infra.deploy", "deployment.toml", *OPTIONS)
        images = (image(stage), image(stage))
        stage.write_settings({**content, **repository, "hosted_zone_id": zone, "github_environment": "live"})
        yield Deployed(stage, printed, images, difference(stage))


def image(stage: Stage) -> str:
    printed = run(stage, "infra.push_image", "deployment.toml")
    found = re.search(r'^lambda_image = "(sha256:[0-9a-f]{64})"$', printed, re.MULTILINE)
    assert found is not None
    return found[1]


def difference(stage: Stage) -> str:
    """Return the comment of a pull request that changes the settings, from the command of the Makefile."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (found,) = re.findall(r"node_modules/\.bin/cdk (diff .*?) \|", makefile)
    options = found.replace("$(DEPLOYMENT)", "deployment.toml")
    done = subprocess.run(
        [ROOT / "node_modules/.bin/cdk", *options.split(), "--app", OPTIONS[-1]],
        cwd=stage.tree,
        env=stage.environment(REGION),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return comment(done.stdout)


def test_the_comment_of_a_pull_request_shows_what_a_deploy_would_change(deployed: Deployed) -> None:
    assert "Stack community-metrics-pipeline" in deployed.comment
    assert "repo:lancedb/community-metrics:environment:live" in deployed.comment
    # the file names no image: the deploy builds another one, and the functions get it
    assert "Stack community-metrics-serverless" in deployed.comment
    assert f"sha256:{'0' * 64}" in deployed.comment
    assert ACCOUNT not in deployed.comment


def test_the_functions_run_the_image_that_the_deploy_built(deployed: Deployed) -> None:
    functions = deployed.stage.client("lambda", REGION).list_functions()["Functions"]
    digests = {
        deployed.stage.client("lambda", REGION)
        .get_function(FunctionName=function["FunctionName"])["Code"]["ImageUri"]
        .partition("@")[2]
        for function in functions
    }

    assert {function["FunctionName"] for function in functions} == {
        "community-metrics-api",
        "community-metrics-jobs",
    }
    (digest,) = digests
    assert f"deploying the image {digest}" in deployed.printed
    assert digest in deployed.tags()


def test_two_images_of_one_commit_are_pushed_and_no_image_loses_its_tag(deployed: Deployed) -> None:
    first, second = deployed.images

    assert first != second
    tags = deployed.tags()
    assert {first, second} < set(tags)
    assert [len(found) for found in tags.values()] == [1, 1, 1]


def test_the_roles_of_the_pipeline_are_deployed_with_their_trust(deployed: Deployed) -> None:
    issuer = "token.actions.githubusercontent.com"
    providers = deployed.stage.client("iam", REGION).list_open_id_connect_providers()
    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}"

    assert providers["OpenIDConnectProviderList"] == [{"Arn": provider}]
    for prefix, context in (("Deploy", "environment:production"), ("Review", "pull_request")):
        (trust,) = deployed.role(prefix)["AssumeRolePolicyDocument"]["Statement"]

        assert trust["Principal"] == {"Federated": provider}
        assert trust["Condition"] == {
            "StringEquals": {
                f"{issuer}:aud": "sts.amazonaws.com",
                f"{issuer}:sub": f"repo:lancedb/community-metrics:{context}",
            }
        }
