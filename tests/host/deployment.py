"""The result of `cdk deploy`: the user data, the release in its bucket, secrets, log groups."""

from __future__ import annotations

import fcntl
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infra.names import HOST_LOG_GROUPS, SECRETS
from tests.infra.node import ROOT, node_environment
from tests.infra.resolve import resolve

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REGION = "us-east-1"
API_HOST = "metrics-api.example.org"


@dataclass(frozen=True, slots=True)
class Deployment:
    """One synthesis; `user_data` is the text that cloud-init runs."""

    user_data: str
    release: Path

    @property
    def facts(self) -> dict[str, Any]:
        """The facts in the user data."""
        text = re.search(r"<<'END_OF_FACTS'\n(.*?)\nEND_OF_FACTS\n", self.user_data, re.DOTALL)
        assert text
        found: dict[str, Any] = json.loads(text[1])
        return found


def synthesised(folder: Path) -> Deployment:
    """Synthesise into the folder, unless another process has done it."""
    out = folder / "assembly"
    template_file = out / "community-metrics-host.template.json"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not template_file.exists():
            _synthesise(out)
    template = json.loads(template_file.read_text(encoding="utf-8"))
    (instance,) = (entry for entry in template["Resources"].values() if entry["Type"] == "AWS::EC2::Instance")
    (release,) = folder.glob("release-*.tar.gz")
    return Deployment(resolve(instance["Properties"]["UserData"])["Fn::Base64"], release)


def _synthesise(out: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.host.synth", str(out)],
        cwd=ROOT, env=node_environment(), capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def publish(deployment: Deployment, secrets: dict[str, str], client: Callable[[str], Any]) -> None:
    """Create the resources of the other stacks; a secret may have no value."""
    facts = deployment.facts
    client("s3").create_bucket(Bucket=facts["bucket"])
    client("s3").create_bucket(Bucket=facts["certificates_bucket"])
    backups = facts["environment"]["CM_BACKUP_TARGET"].removeprefix("s3://").partition("/")[0]
    client("s3").create_bucket(Bucket=backups)
    client("s3").put_object(Bucket=facts["bucket"], Key=facts["key"], Body=deployment.release.read_bytes())
    for entry in SECRETS:
        value = {"SecretString": secrets[entry.key]} if entry.key in secrets else {}
        client("secretsmanager").create_secret(Name=entry.name, **value)
    for group in HOST_LOG_GROUPS:
        client("logs").create_log_group(logGroupName=str(group))
    client("sns").create_topic(Name=facts["topic"].rpartition(":")[2])
