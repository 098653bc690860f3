#!/usr/bin/python3
"""First boot of the host: fetch the release, install it, tell CloudFormation how it went.

Runs once, as root, from the user data, before anything of ours is installed: with Debian's Python and
python3-boto3 only. Its one argument is the JSON file that the user data wrote. A failure is signalled with
its own words, so that `cdk deploy` shows them and rolls back.
"""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

UNIQUE_ID_LENGTH = 64  # of a signal; the only text of it that a stack's events show
LAST_LINES = 200  # of a failed bootstrap, kept in the boot log


class BootError(Exception):
    """A step failed; `summary` fits into a stack event, the text says what to do."""

    def __init__(self, summary: str, text: str) -> None:
        self.summary = summary
        super().__init__(text)


def main(config_path: Path) -> int:
    """Boot, signal, and return the exit code."""
    config = json.loads(config_path.read_text(encoding="utf-8"))
    session = boto3.Session(region_name=config["region"])
    try:
        check_secrets(session, config["required_secrets"])
        release = unpack(fetch(session, config), Path(config["releases"]), config["sha256"])
        bootstrap(release, config_path)
    except (BootError, BotoCoreError, ClientError, OSError, tarfile.TarError) as error:
        report_failure(session, config, error)
        return 1
    except Exception as error:
        report_failure(session, config, error)  # or CloudFormation would wait for its whole time limit
        raise  # a bug of ours: the console gets the traceback too
    signal(session, config, "SUCCESS", f"release {config['sha256'][:16]}")
    return 0


def check_secrets(session: boto3.Session, names: list[str]) -> None:
    """Refuse to go on without the secrets that the API and the jobs cannot do without."""
    client = session.client("secretsmanager")
    unset = [name for name in names if not _has_value(client, name)]
    if unset:
        raise BootError(
            "secrets unset: " + ", ".join(name.rpartition("/")[2] for name in unset),
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
            "release has another digest than the template says",
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
    """Run the release's own `host/bootstrap.py`; its last line is the reason where it fails."""
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
        raise BootError(lines[-1], "\n".join(lines[-LAST_LINES:]))


def report_failure(session: boto3.Session, config: dict[str, Any], error: Exception) -> None:
    """Say why on the console, in the boot log (which outlives the box) and in the stack's events."""
    print(f"first boot failed: {error}", file=sys.stderr, flush=True)
    summary = error.summary if isinstance(error, BootError) else f"{type(error).__name__}: {error}"
    try:
        write_boot_log(session, config, str(error))
    finally:
        signal(session, config, "FAILURE", summary)


def write_boot_log(session: boto3.Session, config: dict[str, Any], text: str) -> None:
    """Write the text to the boot log group, in a stream of its own."""
    logs = session.client("logs")
    now_ms = int(time.time() * 1000)
    where = {"logGroupName": config["log_group"], "logStreamName": f"{config['resource']}-{now_ms}"}
    logs.create_log_stream(**where)
    logs.put_log_events(**where, logEvents=[{"timestamp": now_ms, "message": text}])


def signal(session: boto3.Session, config: dict[str, Any], status: str, summary: str) -> None:
    """Tell CloudFormation, which waits for it, how the boot went."""
    session.client("cloudformation").signal_resource(
        StackName=config["stack"],
        LogicalResourceId=config["resource"],
        UniqueId=summary[:UNIQUE_ID_LENGTH],
        Status=status,
    )


def _has_value(client: Any, name: str) -> bool:
    try:
        client.get_secret_value(SecretId=name)
    except client.exceptions.ResourceNotFoundException:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
