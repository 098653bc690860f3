"""`action/run` with its database in a bucket, which is on loopback as everything else is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.support.action_runner import a_runner
from tests.support.aws import REGION, empty_aws

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.action_runner import Runner

BUCKET = "of-the-team"
STORE = f"s3://{BUCKET}/metrics"


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    """Yield a runner with the credentials of an empty AWS in its environment."""
    with empty_aws() as port, a_runner(tmp_path) as runner:
        runner.environment = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
            "AWS_REGION": REGION,
        }
        yield runner


def bucket_of(runner: Runner) -> Any:
    client = boto3.client(
        "s3",
        endpoint_url=runner.environment["AWS_ENDPOINT_URL"],
        region_name=REGION,
        aws_access_key_id="a",
        aws_secret_access_key="b",
    )
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    return client


def kept_in(runner: Runner) -> tuple[str, int]:
    """Return the id and the number of rows of the backup that the last run made."""
    found = re.search(r"Kept the backup (\S+) in (\S+): ([\d,]+) rows", runner.files["summary"])
    assert found is not None, runner.files["summary"]
    assert found[2] == STORE
    return found[1], int(found[3].replace(",", ""))


@pytest.mark.timeout(400)  # a dozen programs start one after the other
def test_a_team_is_served_by_a_bucket_whose_history_grows(runner: Runner) -> None:
    client = bucket_of(runner)
    refused = runner.run(store=STORE)
    assert refused.returncode == 1, refused.stderr
    assert "the history would begin anew" in refused.stderr
    assert "Contents" not in client.list_objects_v2(Bucket=BUCKET)

    first = runner.run(store=STORE, first=True)
    assert first.returncode == 0, first.stderr
    assert "This is the first run" in runner.files["summary"]
    first_id, first_rows = kept_in(runner)

    second = runner.run(store=STORE)
    assert second.returncode == 0, second.stderr
    assert f"Restored the backup {first_id} of {STORE}" in runner.files["summary"]
    second_id, second_rows = kept_in(runner)
    assert second_id > first_id
    assert second_rows > first_rows
    keys = {one["Key"] for one in client.list_objects_v2(Bucket=BUCKET)["Contents"]}
    assert {key.split("/")[1] for key in keys if key.endswith("/manifest.json")} >= {second_id}
    assert runner.git("branch", "--list") == ""


@pytest.mark.timeout(200)
def test_a_bucket_that_is_missing_is_no_first_run(runner: Runner) -> None:
    done = runner.run(store=STORE, first=True)
    assert done.returncode != 0
    assert "NoSuchBucket" in done.stderr
    assert STORE in done.stderr
    assert "Fix: " in done.stderr
    assert "site" not in runner.files.get("output", "")
