"""The host's first boot, run as the box runs it: a process of its own, S3, Secrets Manager, logs, signals."""

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
import httpx
import pytest
from moto.server import ThreadedMotoServer

from infra.names import LogGroup
from infra.release import HOST_FILES
from tests.infra.rehearsal.recorder import Recorder, recording

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REGION = "eu-central-1"
BUCKET = "assets"
SECRET = "community-metrics/lancedb-read-key"
GOOD = '#!/bin/sh\necho installed; cp "$2" "$1/seen.json"\n'
BAD = "#!/bin/sh\necho first; echo 'bootstrap, packages: no such package'; exit 3\n"


@dataclass(frozen=True, slots=True)
class Box:
    """A box about to boot for the first time."""

    folder: Path
    aws: Recorder
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
        self.client("s3").put_object(Bucket=BUCKET, Key=self.facts["key"], Body=content)

    def boot(self) -> int:
        config = self.folder / "deployment.json"
        config.write_text(json.dumps(self.facts), encoding="utf-8")
        keys = {"AWS_ENDPOINT_URL": self.aws.endpoint, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
        script = HOST_FILES / "first_boot.py"
        return subprocess.run(
            [sys.executable, script, config], env={**os.environ, **keys}, capture_output=True, check=False
        ).returncode

    @property
    def logged(self) -> str:
        logs = self.client("logs")
        group = str(LogGroup.BOOT)
        streams = logs.describe_log_streams(logGroupName=group)["logStreams"]
        events = [
            event["message"]
            for stream in streams
            for event in logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])[
                "events"
            ]
        ]
        return "\n".join(events)


def release(bootstrap: str) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        entry = tarfile.TarInfo("host/bootstrap.py")
        entry.size, entry.mode = len(bootstrap), 0o755
        archive.addfile(entry, io.BytesIO(bootstrap.encode()))
    return raw.getvalue()


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    port = server.get_host_and_port()[1]
    httpx.post(f"http://127.0.0.1:{port}/moto-api/reset")  # moto's world outlives its server
    with recording(port) as recorder:
        facts = {
            "region": REGION,
            "stack": "community-metrics-host",
            "resource": "Host1234",
            "bucket": BUCKET,
            "key": "release.tar.gz",
            "log_group": str(LogGroup.BOOT),
            "releases": str(tmp_path / "releases"),
            "required_secrets": [SECRET],
        }
        found = Box(tmp_path, recorder, facts)
        found.client("secretsmanager").create_secret(Name=SECRET, SecretString="a key")
        found.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        found.client("logs").create_log_group(logGroupName=str(LogGroup.BOOT))
        found.publish(GOOD)
        yield found
    server.stop()


def signal(box: Box) -> dict[str, str]:
    (sent,) = box.aws.signals
    return {key: sent[key] for key in ("StackName", "LogicalResourceId", "Status", "UniqueId")}


def test_a_sound_boot_installs_and_signals_success(box: Box) -> None:
    assert box.boot() == 0

    digest = box.facts["sha256"]
    assert json.loads((box.folder / "releases" / digest[:16] / "seen.json").read_text()) == box.facts
    assert signal(box) == {
        "StackName": "community-metrics-host",
        "LogicalResourceId": "Host1234",
        "Status": "SUCCESS",
        "UniqueId": f"release {digest[:16]}",
    }


def test_a_box_without_secrets_fails_the_deploy_with_that_very_message(box: Box) -> None:
    box.client("secretsmanager").delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)
    box.client("secretsmanager").create_secret(Name=SECRET)

    assert box.boot() == 1
    assert (signal(box)["Status"], signal(box)["UniqueId"]) == ("FAILURE", "secrets unset: lancedb-read-key")
    assert f"no value for {SECRET}. Put them in with `community-metrics secrets put`" in box.logged


def test_a_bootstrap_that_fails_signals_its_last_line(box: Box) -> None:
    box.publish(BAD)

    assert box.boot() == 1
    assert signal(box)["UniqueId"] == "bootstrap, packages: no such package"
    assert box.logged == "first\nbootstrap, packages: no such package"


def test_another_archive_than_the_templates_is_not_unpacked(box: Box) -> None:
    box.facts["sha256"] = "0" * 64

    assert box.boot() == 1
    assert signal(box)["UniqueId"] == "release has another digest than the template says"
    assert not (box.folder / "releases").exists()


def test_a_missing_archive_is_a_signalled_failure(box: Box) -> None:
    box.facts["key"] = "gone.tar.gz"

    assert box.boot() == 1
    assert signal(box)["Status"] == "FAILURE"
    assert signal(box)["UniqueId"].startswith("NoSuchKey")


def test_a_log_that_cannot_be_written_does_not_keep_the_signal_back(box: Box) -> None:
    box.client("logs").delete_log_group(logGroupName=str(LogGroup.BOOT))
    box.publish(BAD)

    assert box.boot() == 1
    assert signal(box)["Status"] == "FAILURE"


def test_a_second_run_of_the_same_release_is_the_same(box: Box) -> None:
    assert box.boot() == 0
    assert box.boot() == 0

    assert [sent["Status"] for sent in box.aws.signals] == ["SUCCESS", "SUCCESS"]
