"""The three places that the contract of storage is kept in."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import boto3
import pytest
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from community_metrics.config import Settings, StorageMode
from tests.support.enterprise import WRITE_KEY, Enterprise, serving
from tests.support.worlds import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUCKET = "community-metrics-tests"
AWS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "aws_region": "eu-west-1"}


@pytest.fixture(scope="session")
def s3_options() -> Iterator[dict[str, str]]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        region_name="eu-west-1",
    )
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    yield AWS | {"aws_endpoint": endpoint, "allow_http": "true"}
    server.stop()


@pytest.fixture(scope="session")
def served_enterprise(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enterprise]:
    with serving(Enterprise(tmp_path_factory.mktemp("enterprise"))) as enterprise:
        yield enterprise


@pytest.fixture
def enterprise(served_enterprise: Enterprise) -> Iterator[Enterprise]:
    """The stand-in, with nothing in its log and nothing wrong with it."""
    served_enterprise.log.clear()
    yield served_enterprise
    served_enterprise.faults.clear()
    served_enterprise.keeps_last_on_only = False


@pytest.fixture
def local_world(tmp_path: Path) -> World:
    return World(Settings(_env_file=None, db_path=str(tmp_path / "data" / "metrics.lancedb")))


@pytest.fixture
def s3_world(s3_options: dict[str, str]) -> World:
    path = f"s3://{BUCKET}/{uuid.uuid4().hex}"
    return World(Settings(_env_file=None, db_path=path, aws_storage_options=s3_options))


@pytest.fixture
def enterprise_world(enterprise: Enterprise) -> World:
    settings = Settings(
        _env_file=None,
        storage_mode=StorageMode.ENTERPRISE,
        lancedb_uri=f"db://{uuid.uuid4().hex}",
        lancedb_api_key=SecretStr(WRITE_KEY),
        lancedb_host_override=enterprise.url,
    )
    return World(settings, enterprise)


@pytest.fixture(params=["local", "s3", "enterprise"])
def world(request: pytest.FixtureRequest) -> World:
    found: World = request.getfixturevalue(f"{request.param}_world")
    return found
