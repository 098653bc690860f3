"""The first boot of the host, in a process of its own, with a metadata service, S3, logs and signals."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from infra.host import first_boot
from infra.names import LogGroup
from infra.release import HOST_FILES
from tests.host.imds import instance_id
from tests.infra.host_python import needs_extraction_filters
from tests.infra.rehearsal.readback import logged

if TYPE_CHECKING:
    from pathlib import Path

    from tests.infra.rehearsal.recorder import Recorder

pytestmark = needs_extraction_filters

REGION = "eu-central-1"
BUCKET = "assets"
INSTANCE = instance_id("127.0.0.1")
SECRET = "community-metrics/lancedb-read-key"
GOOD = '#!/bin/sh\necho installed; cp "$2" "$1/seen.json"\n'
LATIN = GOOD + r"printf 'caf\351\n'" + "\n"
BAD = "#!/bin/sh\necho first; echo 'bootstrap, packages: no such package'; exit 3\n"


@dataclass(frozen=True, slots=True)
class Box:
    """A host before its first boot."""

    folder: Path
    aws: Recorder
    metadata: str
    facts: dict[str, Any]

    def client(self, service: str) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]  # the name is only known when it runs
            region_name=REGION,
            endpoint_url=f"http://127.0.0.1:{self.aws.server_port}",
            aws_access_key_id="a",
            aws_secret_access_key="b",
        )

    def publish(self, bootstrap: str) -> None:
        content = release(bootstrap)
        self.facts["sha256"] = hashlib.sha256(content).hexdigest()
        self.client("s3").put_object(Bucket=self.facts["bucket"], Key=self.facts["key"], Body=content)

    def boot(self) -> int:
        config = self.folder / "deployment.json"
        config.write_text(json.dumps(self.facts), encoding="utf-8")
        world = {
            "AWS_ENDPOINT_URL": self.aws.endpoint,
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.metadata,
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
        }
        script = self.folder / "first_boot.py"
        script.write_text(impatient(HOST_FILES / "first_boot.py"), encoding="utf-8")
        return subprocess.run(
            [sys.executable, script, config], env={**os.environ, **world}, capture_output=True, check=False
        ).returncode

    @property
    def logged(self) -> str:
        """The reason in the boot log; the stream's name begins with the instance id."""
        ((stream, text),) = logged(self.client("logs"), LogGroup.BOOT).items()
        assert stream.startswith(f"{INSTANCE}-")
        return text


def impatient(program: Path) -> str:
    """Return the program with waits of a fraction of a second."""
    text, waits = program.read_text(encoding="utf-8"), "GRANT_WAITS_S = (5, 10, 20, 30)"
    assert waits in text
    return text.replace(waits, "GRANT_WAITS_S = (0.01, 0.01, 0.01, 0.01)")


def release(bootstrap: str) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        entry = tarfile.TarInfo("host/bootstrap.py")
        entry.size, entry.mode = len(bootstrap), 0o755
        archive.addfile(entry, io.BytesIO(bootstrap.encode()))
    return raw.getvalue()


def prepared_box(folder: Path, aws: Recorder, metadata: str, **changes: Any) -> Box:
    """Return a host before its first boot: with a published release, a secret and a log group."""
    facts: dict[str, Any] = {
        "region": REGION,
        "stack": "community-metrics-host",
        "resource": "Host1234",
        "bucket": BUCKET,
        "key": "release.tar.gz",
        "log_group": str(LogGroup.BOOT),
        "releases": str(folder / "releases"),
        "put_secrets": "community-metrics secrets put --stage staging",
        "required_secrets": [SECRET],
        **changes,
    }
    box = Box(folder, aws, metadata, facts)
    for name in facts["required_secrets"]:
        box.client("secretsmanager").create_secret(Name=name, SecretString="a key")
    where = {"LocationConstraint": REGION}
    box.client("s3").create_bucket(Bucket=facts["bucket"], CreateBucketConfiguration=where)
    box.client("logs").create_log_group(logGroupName=str(LogGroup.BOOT))
    box.publish(GOOD)
    return box


@pytest.fixture
def box(tmp_path: Path, aws: Recorder, metadata: str) -> Box:
    return prepared_box(tmp_path, aws, metadata)


def signal(box: Box) -> dict[str, str]:
    (sent,) = box.aws.signals
    return {key: sent[key] for key in ("StackName", "LogicalResourceId", "Status", "UniqueId")}


def test_a_successful_boot_installs_the_release_and_signals_success(box: Box) -> None:
    assert box.boot() == 0

    digest = box.facts["sha256"]
    assert json.loads((box.folder / "releases" / digest[:16] / "seen.json").read_text()) == box.facts
    assert signal(box) == {
        "StackName": "community-metrics-host",
        "LogicalResourceId": "Host1234",
        "Status": "SUCCESS",
        "UniqueId": INSTANCE,
    }


def test_without_secrets_the_boot_fails_and_names_the_missing_ones(box: Box) -> None:
    box.client("secretsmanager").delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)
    box.client("secretsmanager").create_secret(Name=SECRET)

    assert box.boot() == 1
    assert (signal(box)["Status"], signal(box)["UniqueId"]) == ("FAILURE", INSTANCE)
    assert f"no value for {SECRET}. Fix: run `community-metrics secrets put --stage staging`" in box.logged


def test_the_output_of_a_failed_bootstrap_is_in_the_boot_log(box: Box) -> None:
    box.publish(BAD)

    assert box.boot() == 1
    assert (signal(box)["Status"], signal(box)["UniqueId"]) == ("FAILURE", INSTANCE)
    assert box.logged == "first\nbootstrap, packages: no such package"


def test_warnings_of_a_successful_bootstrap_are_in_the_boot_log(box: Box) -> None:
    box.publish(GOOD + "echo 'warning: no agent. Fix: save the key'\n")

    assert box.boot() == 0
    assert signal(box)["Status"] == "SUCCESS"
    assert box.logged == "warning: no agent. Fix: save the key"


def test_a_warning_that_cannot_be_logged_does_not_fail_the_boot(box: Box) -> None:
    box.client("logs").delete_log_group(logGroupName=str(LogGroup.BOOT))
    box.publish(GOOD + "echo 'warning: no agent'\n")

    assert box.boot() == 0
    assert signal(box)["Status"] == "SUCCESS"


def test_output_that_is_not_utf_8_does_not_fail_the_boot(box: Box) -> None:
    box.publish(LATIN)

    assert box.boot() == 0
    assert signal(box)["Status"] == "SUCCESS"


def test_a_failure_that_is_not_utf_8_is_signalled(box: Box) -> None:
    box.publish(LATIN + "exit 3\n")

    assert box.boot() == 1
    assert signal(box)["Status"] == "FAILURE"
    assert box.logged == "installed\ncaf\ufffd"


def test_an_unexpected_exception_is_signalled(box: Box) -> None:
    del box.facts["required_secrets"]

    assert box.boot() == 1
    assert signal(box)["Status"] == "FAILURE"
    assert box.logged == "KeyError: 'required_secrets'"


def test_an_archive_with_another_digest_is_not_unpacked(box: Box) -> None:
    box.facts["sha256"] = "0" * 64

    assert box.boot() == 1
    assert signal(box)["Status"] == "FAILURE"
    assert "has SHA-256" in box.logged
    assert f"the template expects {'0' * 64}" in box.logged
    assert not (box.folder / "releases").exists()


def test_a_missing_archive_is_signalled(box: Box) -> None:
    box.facts["key"] = "gone.tar.gz"

    assert box.boot() == 1
    assert signal(box)["Status"] == "FAILURE"
    assert box.logged.startswith("NoSuchKey")


def test_a_failed_log_write_does_not_prevent_the_signal(box: Box) -> None:
    box.client("logs").delete_log_group(logGroupName=str(LogGroup.BOOT))
    box.publish(BAD)

    assert box.boot() == 1
    assert signal(box)["Status"] == "FAILURE"


def test_the_reason_is_logged_before_the_signal(box: Box) -> None:
    box.publish(BAD)

    assert box.boot() == 1
    actions = [call.action for call in box.aws.calls]
    assert actions.index("logs:PutLogEvents") < actions.index("cloudformation:SignalResource")


@pytest.mark.parametrize("unique_id", ["release 0123456789abcdef", "secrets unset", "i-0ffffffffffffffff"])
def test_a_signal_with_another_id_is_rejected(box: Box, unique_id: str) -> None:
    signalling = boto3.client(
        "cloudformation",
        region_name=REGION,
        endpoint_url=box.aws.endpoint,
        aws_access_key_id="a",
        aws_secret_access_key="b",
    )
    where = {"StackName": box.facts["stack"], "LogicalResourceId": box.facts["resource"]}

    with pytest.raises(ClientError, match=f"UniqueId is not the instance ID {INSTANCE}"):
        signalling.signal_resource(**where, UniqueId=unique_id, Status="SUCCESS")
    assert box.aws.signals == []


def test_without_a_metadata_service_nothing_is_installed(box: Box) -> None:
    away = Box(box.folder, box.aws, "http://127.0.0.1:9", box.facts)

    assert away.boot() == 1
    assert not (box.folder / "releases").exists()
    assert box.aws.signals == []


@pytest.mark.parametrize(
    "action", ["secretsmanager:GetSecretValue", "s3:GetObject", "cloudformation:SignalResource"]
)
def test_permissions_that_become_effective_within_a_minute_do_not_fail_the_boot(
    box: Box, action: str
) -> None:
    box.aws.denials[action] = 4

    assert box.boot() == 0
    assert signal(box)["Status"] == "SUCCESS"


def test_a_permission_that_is_missing_after_a_minute_fails_the_boot_with_its_name(box: Box) -> None:
    box.aws.denials["s3:GetObject"] = 5

    assert box.boot() == 1
    assert signal(box)["Status"] == "FAILURE"
    assert "AccessDenied" in box.logged
    assert "GetObject" in box.logged


def test_permissions_are_awaited_for_about_a_minute() -> None:
    assert 60 <= sum(first_boot.GRANT_WAITS_S) <= 90


def test_a_second_boot_of_the_same_release_also_succeeds(box: Box) -> None:
    assert box.boot() == 0
    assert box.boot() == 0

    assert [sent["Status"] for sent in box.aws.signals] == ["SUCCESS", "SUCCESS"]
