#!/usr/bin/python3
"""First boot of the host: fetch the release, install it, signal the result to CloudFormation.

The user data runs it once, as root, with Debian's Python and python3-boto3 only. The argument is the JSON
file that the user data wrote. The signal carries the instance id, the only id that CloudFormation accepts. If
the boot fails, the reason is in the boot log group, in a stream whose name begins with the instance id.
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
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")
LAST_LINES = 200  # of a failed bootstrap's output, for the boot log
# boto3 reads the same variable to get the role's credentials
METADATA = os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://169.254.169.254")
METADATA_WAITS_S = (1, 2, 5)
# a new role's permissions take seconds to reach every service; 65 seconds in all
GRANT_WAITS_S = (5, 10, 20, 30)
DENIED = ("AccessDenied", "AccessDeniedException", "InvalidClientTokenId", "UnrecognizedClientException")


class BootError(Exception):
    """A step of the first boot failed; the message says what to do."""


def main(config_path: Path) -> int:
    """Install the release, signal the result, and return the exit code."""
    config = json.loads(config_path.read_text(encoding="utf-8"))
    session = boto3.Session(region_name=config["region"])
    try:
        instance = instance_id()
    except (OSError, http.client.HTTPException) as error:
        # no signal is possible: it needs the instance id, and credentials from the same service
        print(f"first boot failed: no instance id from {METADATA}: {error!r}", file=sys.stderr, flush=True)
        return 1
    try:
        when_granted(lambda: check_secrets(session, config["required_secrets"], config["put_secrets"]))
        content = when_granted(lambda: fetch(session, config))
        release = unpack(content, Path(config["releases"]), config["sha256"])
        warnings = bootstrap(release, config_path)
    except (BootError, BotoCoreError, ClientError, OSError, tarfile.TarError) as error:
        report_failure(session, config, instance, error)
        return 1
    except Exception as error:
        # without a signal, CloudFormation waits until its time limit
        report_failure(session, config, instance, error)
        raise  # a bug: the traceback goes to the console
    report_warnings(session, config, instance, warnings)
    signal(session, config, instance, "SUCCESS")
    return 0


def instance_id() -> str:
    """Return the id of this instance from its metadata service (IMDSv2).

    Raises:
        OSError, http.client.HTTPException: each attempt fails.
    """
    for wait_s in METADATA_WAITS_S:
        try:
            return _fetch_instance_id()
        except (OSError, http.client.HTTPException) as error:
            print(f"no instance id yet: {error!r}", file=sys.stderr, flush=True)
            time.sleep(wait_s)
    return _fetch_instance_id()


def when_granted(call: Callable[[], Result]) -> Result:
    """Return the result of the calls to AWS; repeat them for a minute while AWS denies them.

    Raises:
        ClientError: AWS still denies them, or returns another error.
    """
    for wait_s in GRANT_WAITS_S:
        try:
            return call()
        except ClientError as error:
            if error.response["Error"]["Code"] not in DENIED:
                raise
            print(f"not granted yet: {error}", file=sys.stderr, flush=True)
            time.sleep(wait_s)
    return call()


def check_secrets(session: boto3.Session, names: list[str], command: str) -> None:
    """Raise BootError if a required secret has no value; `command` sets the secrets of this deployment."""
    client = session.client("secretsmanager")
    unset = [name for name in names if not _has_value(client, name)]
    if unset:
        raise BootError(
            f"Secrets Manager has no value for {', '.join(unset)}. Fix: run `{command}`, "
            "then `npx cdk deploy --all`.",
        )


def fetch(session: boto3.Session, config: dict[str, Any]) -> bytes:
    """Return the release archive; raise BootError if its digest is not the template's."""
    response = session.client("s3").get_object(Bucket=config["bucket"], Key=config["key"])
    content: bytes = response["Body"].read()
    digest = hashlib.sha256(content).hexdigest()
    if digest != config["sha256"]:
        raise BootError(
            f"s3://{config['bucket']}/{config['key']} has SHA-256 {digest}, the template expects "
            f"{config['sha256']}. Fix: run `npx cdk deploy --all` to publish the release again.",
        )
    return content


def unpack(content: bytes, releases: Path, digest: str) -> Path:
    """Unpack the archive into a new folder and return the folder."""
    folder = releases / digest[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        archive.extractall(folder, filter="data")
    return folder


def bootstrap(release: Path, config_path: Path) -> str:
    """Run the release's `host/bootstrap.py`, and return its lines that begin with `warning: `.

    Raises:
        BootError: it fails; the message is the end of its output.
    """
    command = [str(release / "host" / "bootstrap.py"), str(release), str(config_path)]
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",  # output in another encoding must not fail the boot
        check=False,
    )
    print(done.stdout, flush=True)
    if done.returncode != 0:
        lines = done.stdout.strip().splitlines() or [f"bootstrap exited with {done.returncode} and no output"]
        raise BootError("\n".join(lines[-LAST_LINES:]))
    return "\n".join(line for line in done.stdout.splitlines() if line.startswith("warning: "))


def report_warnings(session: boto3.Session, config: dict[str, Any], instance: str, text: str) -> None:
    """Write warnings to the boot log; a boot that succeeded does not fail if that is impossible."""
    if not text:
        return
    try:
        write_boot_log(session, config, instance, text)
    except (BotoCoreError, ClientError) as error:
        print(f"the boot log cannot be written: {error}", file=sys.stderr, flush=True)


def report_failure(session: boto3.Session, config: dict[str, Any], instance: str, error: Exception) -> None:
    """Write the reason to the console and the boot log, then signal the failure.

    The signal comes last: CloudFormation then rolls back and terminates the instance.
    """
    reason = str(error) if isinstance(error, BootError) else f"{type(error).__name__}: {error}"
    print(f"first boot failed: {reason}", file=sys.stderr, flush=True)
    try:
        write_boot_log(session, config, instance, reason)
    finally:
        signal(session, config, instance, "FAILURE")


def write_boot_log(session: boto3.Session, config: dict[str, Any], instance: str, text: str) -> None:
    """Write the text to a new stream of the boot log group."""
    logs = session.client("logs")
    now_ms = int(time.time() * 1000)
    where = {"logGroupName": config["log_group"], "logStreamName": f"{instance}-{now_ms}"}
    when_granted(lambda: logs.create_log_stream(**where))
    logs.put_log_events(**where, logEvents=[{"timestamp": now_ms, "message": text}])


def signal(session: boto3.Session, config: dict[str, Any], instance: str, status: str) -> None:
    """Send the result of the boot to CloudFormation, which waits for it."""
    where = {"StackName": config["stack"], "LogicalResourceId": config["resource"]}
    client = session.client("cloudformation")
    when_granted(lambda: client.signal_resource(**where, UniqueId=instance, Status=status))


def _fetch_instance_id() -> str:
    token = _metadata("PUT", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "60"})
    return _metadata("GET", "/latest/meta-data/instance-id", {"X-aws-ec2-metadata-token": token})


def _metadata(method: str, path: str, headers: dict[str, str]) -> str:
    connection = http.client.HTTPConnection(urlsplit(METADATA).netloc, timeout=5)
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        text = response.read().decode()
    finally:
        connection.close()
    if response.status != http.client.OK:
        raise ConnectionError(f"{method} {path} returned {response.status}")
    return text


def _has_value(client: Any, name: str) -> bool:
    try:
        client.get_secret_value(SecretId=name)
    except client.exceptions.ResourceNotFoundException:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
