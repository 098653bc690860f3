"""The roles allow exactly the AWS actions that our programs call.

The programs run against moto behind a recorder; moto itself checks no permissions.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from community_metrics.aws.secrets import read_secrets
from community_metrics.aws.telemetry import publish_data_gauges
from community_metrics.backup.place import place_of
from community_metrics.backup.writing import back_up
from community_metrics.clock import SystemClock
from community_metrics.config import Settings
from community_metrics.host import notice
from community_metrics.model import Provenance
from community_metrics.storage import LanceDBReader, LanceDBStore
from infra.host.certificate import CertificateManager
from tests.infra.host_python import needs_extraction_filters
from tests.infra.resolve import statements
from tests.infra.test_certificate import FACTS, make_tree
from tests.infra.test_first_boot import BAD, prepared_box
from tests.infra.test_policies import role_of
from tests.support import rows
from tests.support.worlds import NOW, observed_days, only_writer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.infra.conftest import Assembly
    from tests.infra.rehearsal.recorder import Call, Recorder

REGION = "eu-central-1"
ACCOUNT = "123456789012"
DATA = f"community-metrics-data-{ACCOUNT}-{REGION}"
BACKUPS = f"community-metrics-bkup-{ACCOUNT}-{REGION}"
CERTIFICATES = f"community-metrics-tls-{ACCOUNT}-{REGION}"
TOKEN_HASHES, GITHUB_TOKEN = "community-metrics/api-token-hashes", "community-metrics/github-token"
# called by an AWS service with the role, not by our programs
BY_AWS = {
    ("SendDeadLetters", "sqs:SendMessage"): "Lambda, for an event that failed after all retries",
    ("WriteLogs", "logs:CreateLogStream"): "Lambda, for the output of a function",
    ("WriteLogs", "logs:PutLogEvents"): "as above",
}
BY_CLIENT = {("UseData", "s3:AbortMultipartUpload"): "LanceDB's client, for an interrupted upload"}


@pytest.fixture
def process(aws: Recorder, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """This process, with the recorded AWS in its environment."""
    for name, value in (
        ("AWS_ENDPOINT_URL", aws.endpoint),
        ("AWS_ACCESS_KEY_ID", "a"),
        ("AWS_SECRET_ACCESS_KEY", "b"),
        ("AWS_DEFAULT_REGION", REGION),
    ):
        monkeypatch.setenv(name, value)
    return aws


def bucket_settings(aws: Recorder) -> Settings:
    options = {
        "aws_access_key_id": "a",
        "aws_secret_access_key": "b",
        "aws_region": REGION,
        "aws_endpoint": aws.endpoint,
        "allow_http": "true",
    }
    return Settings(_env_file=None, db_path=f"s3://{DATA}/lancedb", aws_storage_options=options)


def make_buckets(aws: Recorder) -> None:
    for name in (DATA, BACKUPS):
        boto3.client("s3", region_name=REGION).create_bucket(
            Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
    aws.calls.clear()  # the stack creates the buckets, not the programs


def make_entry(aws: Recorder, name: str) -> None:
    boto3.client("secretsmanager", region_name=REGION).create_secret(Name=name)
    aws.calls.clear()  # the stack creates the secret, not the programs


async def write_everything(settings: Settings) -> None:
    async with LanceDBStore.open(settings) as store:
        await store.create_tables()
        lease = await store.acquire_lease("run-1", "host", 1, NOW, timedelta(minutes=1))
        await store.upsert_observations(
            observed_days(400), provenance=Provenance.API, run_id="run-1", now=NOW
        )
        await store.release_lease(lease, NOW)
        await store.optimize()
        await store.drop_tables(renew=only_writer)
        await store.create_tables()
        await store.record_run(rows.run(NOW))


async def put_backup(settings: Settings) -> None:
    await back_up(settings, place_of(settings, f"s3://{BACKUPS}/backups"), write_only=True)


async def read_everything(settings: Settings) -> None:
    async with LanceDBReader.open(settings) as reader:
        await reader.metrics()
        await reader.runs(limit=10)
        await reader.find_duplicate_keys()


def allowing(role: dict[str, Any], call: Call) -> list[tuple[str, str]]:
    """Return the statements of the role that allow this call, each with the action."""
    return [
        (sid, call.action)
        for sid, (actions, resources, _) in statements(role).items()
        if call.action in actions and any(_covers(resource, call) for resource in resources)
    ]


def _covers(resource: str, call: Call) -> bool:
    service = call.action.partition(":")[0]
    if service == "s3":
        return fnmatchcase(call.resource, resource)
    if service == "ses":
        return resource.endswith(f":{call.resource}")
    if service in {"secretsmanager", "logs"}:
        return f":{call.resource}" in resource
    return True


def check(role: dict[str, Any], calls: list[Call], others: dict[tuple[str, str], str]) -> None:
    """Check that the role allows exactly these calls."""
    used = {pair for call in calls for pair in allowing(role, call)}
    denied = {call for call in calls if not allowing(role, call)}
    allowed = {(sid, action) for sid, (actions, _, _) in statements(role).items() for action in actions}

    assert denied == set()
    assert allowed - used == set(others) & allowed


def boot_twice(aws: Recorder, metadata: str, folder: Path, role: dict[str, Any]) -> None:
    (release,) = statements(role)["ReadRelease"][1]
    bucket, _, key = release.removeprefix("arn:aws:s3:::").partition("/")
    box = prepared_box(
        folder, aws, metadata, bucket=bucket, key=key, required_secrets=["community-metrics/github-token"]
    )
    assert box.boot() == 0
    box.publish(BAD)
    assert box.boot() == 1


def store_certificates(aws: Recorder, folder: Path) -> None:
    boto3.client("s3", region_name=REGION).create_bucket(
        Bucket=CERTIFICATES, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    aws.calls.pop()  # the stack creates the bucket, not the programs
    facts = {**FACTS, "certificates_bucket": CERTIFICATES, "region": REGION}
    make_tree(folder / "one")
    CertificateManager(facts, folder / "one").store()
    CertificateManager(facts, folder / "two").restore()


def make_topic(aws: Recorder) -> str:
    topic: str = boto3.client("sns", region_name=REGION).create_topic(Name="alarms")["TopicArn"]
    aws.calls.clear()  # the stack creates the topic, not the programs
    return topic


@needs_extraction_filters
def test_the_policy_of_the_host_is_minimal(
    assemblies: dict[str, Assembly], process: Recorder, metadata: str, tmp_path: Path
) -> None:
    role = role_of(assemblies["fullest"], "host", "Role")
    make_buckets(process)
    topic = make_topic(process)
    settings = bucket_settings(process)

    boot_twice(process, metadata, tmp_path, role)
    asyncio.run(write_everything(settings))
    asyncio.run(put_backup(settings))
    asyncio.run(read_everything(settings))
    asyncio.run(publish_data_gauges(settings, SystemClock()))
    assert notice.main(["--topic", topic, "--unit", "community-metrics-weekly-refresh.service"]) == 0

    store_certificates(process, tmp_path)

    check(role, process.calls, BY_CLIENT)


def test_the_policy_of_the_api_function_is_minimal(
    assemblies: dict[str, Assembly], process: Recorder
) -> None:
    role = role_of(assemblies["serverless-s3"], "serverless", "ApiRole")
    make_buckets(process)
    make_entry(process, TOKEN_HASHES)
    asyncio.run(write_everything(bucket_settings(process)))
    process.calls.clear()  # those were calls of the jobs

    read_secrets({"api_token_hashes": TOKEN_HASHES})
    asyncio.run(read_everything(bucket_settings(process)))

    check(role, process.calls, BY_AWS)


def test_the_policy_of_the_jobs_function_is_minimal(
    assemblies: dict[str, Assembly], process: Recorder
) -> None:
    role = role_of(assemblies["serverless-s3"], "serverless", "JobsRole")
    make_buckets(process)
    make_entry(process, GITHUB_TOKEN)
    settings = bucket_settings(process)

    read_secrets({"github_token": GITHUB_TOKEN})
    asyncio.run(write_everything(settings))
    asyncio.run(put_backup(settings))
    asyncio.run(publish_data_gauges(settings, SystemClock()))

    check(role, process.calls, BY_AWS | BY_CLIENT)


def test_a_missing_action_is_found(assemblies: dict[str, Assembly], process: Recorder) -> None:
    role = role_of(assemblies["serverless-s3"], "serverless", "ApiRole")
    make_entry(process, TOKEN_HASHES)
    read_secrets({"api_token_hashes": TOKEN_HASHES})
    (call,) = set(process.calls)

    role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].pop(0)

    assert allowing(role, call) == []
