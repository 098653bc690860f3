"""The kinds of storage that the contract tests use."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import boto3
import pytest
from pydantic import SecretStr

from community_metrics.backup.place import place_of
from community_metrics.config import Settings, StorageMode
from tests.support import lance_server
from tests.support.aws import REGION, empty_aws
from tests.support.enterprise import WRITE_KEY, Enterprise, serving
from tests.support.worlds import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from community_metrics.backup.place import Place

BUCKET = "community-metrics-tests"
AWS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "aws_region": REGION}


@pytest.fixture(scope="session")
def served_enterprise(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enterprise]:
    with serving(Enterprise(tmp_path_factory.mktemp("enterprise"))) as enterprise:
        yield enterprise


@pytest.fixture
def enterprise(served_enterprise: Enterprise) -> Iterator[Enterprise]:
    """The stand-in, with an empty log and without faults."""
    served_enterprise.log.clear()
    yield served_enterprise
    served_enterprise.faults.clear()
    served_enterprise.keeps_last_on_only = False


@pytest.fixture
def local_world(tmp_path: Path) -> World:
    return World(Settings(_env_file=None, db_path=str(tmp_path / "data" / "metrics.lancedb")))


@pytest.fixture
def s3_world() -> Iterator[World]:
    path = f"s3://{BUCKET}/metrics.lancedb"
    with empty_aws() as port:
        options = {"aws_endpoint": f"http://127.0.0.1:{port}", "allow_http": "true"}
        client = boto3.client(
            "s3",
            endpoint_url=options["aws_endpoint"],
            aws_access_key_id="test",
            aws_secret_access_key="test",
            region_name=REGION,
        )
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield World(Settings(_env_file=None, db_path=path, aws_storage_options=AWS | options))


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


@pytest.fixture
def lance_server_world(tmp_path: Path) -> Iterator[World]:
    with lance_server.serving(tmp_path / "lance-server") as server:
        settings = Settings(
            _env_file=None,
            storage_mode=StorageMode.ENTERPRISE,
            lancedb_uri="db://metrics",
            lancedb_api_key=SecretStr(WRITE_KEY),
            lancedb_host_override=server.url,
        )
        yield World(settings)


@pytest.fixture(params=["local", "s3", "enterprise"])
def world(request: pytest.FixtureRequest) -> World:
    found: World = request.getfixturevalue(f"{request.param}_world")
    return found


@pytest.fixture
def folder(tmp_path: Path, local_world: World) -> Place:
    """A folder for backups."""
    return place_of(local_world.settings, str(tmp_path / "backups"))


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest) -> Place:
    """Each kind of place, for backups of a database in a folder."""
    if request.param == "folder":
        found: Place = request.getfixturevalue("folder")
        return found
    bucket: World = request.getfixturevalue("s3_world")
    return place_of(bucket.settings, f"s3://{BUCKET}/some/backups")
