#!/usr/bin/python3
"""First boot of the host: fetch the release, install it, tell CloudFormation how it went.

Runs once, as root, from the user data, before anything of ours is installed: with Debian's Python and
python3-boto3 only. Its one argument is the JSON file that the user data wrote. The signal names the instance,
the only id by which CloudFormation counts it; why a boot failed is in the boot log group, in a stream whose
name begins with that id.
"""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import os
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError

LAST_LINES = 200  # of a failed bootstrap, kept in the boot log
# boto3, which gets the role's keys there, reads the same variable
METADATA = os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://169.254.169.254")
METADATA_WAITS_S = (1, 2, 5)


class BootError(Exception):
    """A step failed; the text says what to do."""


def main(config_path: Path) -> int:
    """Boot, signal, and return the exit code."""
    config = json.loads(config_path.read_text(encoding="utf-8"))
    session = boto3.Session(region_name=config["region"])
    try:
        instance = instance_id()
    except (OSError, http.client.HTTPException) as error:
        # no signal: there is no id to send it with, and no key to sign it with
        print(f"first boot failed: no instance id from {METADATA}: {error!r}", file=sys.stderr, flush=True)
        return 1
    try:
        check_secrets(session, config["required_secrets"])
        release = unpack(fetch(session, config), Path(config["releases"]), config["sha256"])
        bootstrap(release, config_path)
    except (BootError, BotoCoreError, ClientError, OSError, tarfile.TarError) as error:
        report_failure(session, config, instance, error)
        return 1
    except Exception as error:
        report_failure(
            session, config, instance, error
        )  # or CloudFormation would wait for its whole time limit
        raise  # a bug of ours: the console gets the traceback too
    signal(session, config, instance, "SUCCESS")
    return 0


def instance_id() -> str:
    """Return the id of this instance, as version 2 of its metadata service says it.

    Raises:
        OSError, http.client.HTTPException: the service gave no answer, or another one, several times.
    """
    for wait_s in METADATA_WAITS_S:
        try:
            return _ask_instance_id()
        except (OSError, http.client.HTTPException) as error:
            print(f"no instance id yet: {error!r}", file=sys.stderr, flush=True)
            time.sleep(wait_s)
    return _ask_instance_id()


def check_secrets(session: boto3.Session, names: list[str]) -> None:
    """Refuse to go on without the secrets that the API and the jobs cannot do without."""
    client = session.client("secretsmanager")
    unset = [name for name in names if not _has_value(client, name)]
    if unset:
        raise BootError(
            f"Secrets Manager has no value for {', '.join(unset)}. Put them in with "
            "`community-metrics secrets put`, then run `npx cdk deploy --all` again.",
        )


def fetch(session: boto3.Session, config: dict[str, Any]) -> bytes:
    """Return the release archive, which must have the digest that the template names."""
    answer = session.client("s3").get_object(Bucket=config["bucket"], Key=config["key"])
    content: bytes = answer["Body"].read()
    digest = hashlib.sha256(content).hexdigest()
    if digest != config["sha256"]:
        raise BootError(
            f"s3://{config['bucket']}/{config['key']} has SHA-256 {digest}, the template says "
            f"{config['sha256']}. Run `npx cdk deploy --all` again to publish it anew.",
        )
    return content


def unpack(content: bytes, releases: Path, digest: str) -> Path:
    """Unpack the archive into a folder of its own and return the folder."""
    folder = releases / digest[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        if hasattr(tarfile, "data_filter"):
            archive.extractall(folder, filter="data")
        else:  # Python before 3.11.4, such as Debian 12's, on which the tests run too
            archive.extractall(folder)  # noqa: S202  `fetch` has compared its digest with the template's
    return folder


def bootstrap(release: Path, config_path: Path) -> None:
    """Run the release's own `host/bootstrap.py`; the end of what it printed is the reason where it fails."""
    command = [str(release / "host" / "bootstrap.py"), str(release), str(config_path)]
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",  # what a package prints in another encoding must not end the boot
        check=False,
    )
    print(done.stdout, flush=True)
    if done.returncode != 0:
        lines = done.stdout.strip().splitlines() or [f"bootstrap ended with {done.returncode}, silent"]
        raise BootError("\n".join(lines[-LAST_LINES:]))


def report_failure(session: boto3.Session, config: dict[str, Any], instance: str, error: Exception) -> None:
    """Say why on the console and in the boot log, which outlives the box, then signal the failure.

    In this order: the signal ends the deploy, and the box with it.
    """
    reason = str(error) if isinstance(error, BootError) else f"{type(error).__name__}: {error}"
    print(f"first boot failed: {reason}", file=sys.stderr, flush=True)
    try:
        write_boot_log(session, config, instance, reason)
    finally:
        signal(session, config, instance, "FAILURE")


def write_boot_log(session: boto3.Session, config: dict[str, Any], instance: str, text: str) -> None:
    """Write the text to the boot log group, in a stream of its own."""
    logs = session.client("logs")
    now_ms = int(time.time() * 1000)
    where = {"logGroupName": config["log_group"], "logStreamName": f"{instance}-{now_ms}"}
    logs.create_log_stream(**where)
    logs.put_log_events(**where, logEvents=[{"timestamp": now_ms, "message": text}])


def signal(session: boto3.Session, config: dict[str, Any], instance: str, status: str) -> None:
    """Tell CloudFormation, which waits for it, how the boot went."""
    session.client("cloudformation").signal_resource(
        StackName=config["stack"],
        LogicalResourceId=config["resource"],
        UniqueId=instance,
        Status=status,
    )


def _ask_instance_id() -> str:
    token = _metadata("PUT", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "60"})
    return _metadata("GET", "/latest/meta-data/instance-id", {"X-aws-ec2-metadata-token": token})


def _metadata(method: str, path: str, headers: dict[str, str]) -> str:
    connection = http.client.HTTPConnection(urlsplit(METADATA).netloc, timeout=5)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise ConnectionError(f"{method} {path} answered {answer.status}")
    return text


def _has_value(client: Any, name: str) -> bool:
    try:
        client.get_secret_value(SecretId=name)
    except client.exceptions.ResourceNotFoundException:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
