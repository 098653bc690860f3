"""A bucket on loopback that counts the requests it gets."""

from __future__ import annotations

import logging
import re
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import boto3

from community_metrics.config import Settings
from tests.support.aws import REGION, empty_aws

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "community-metrics-tests"
_REQUEST = re.compile(r'"(?P<method>[A-Z]+) (?P<target>\S+)')


class _Recorder(logging.Handler):
    """Keeps the kind of each request that moto's server logs: its method, or LIST."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        found = _REQUEST.search(record.getMessage())
        if found:
            self.kinds.append("LIST" if "list-type=" in found["target"] else found["method"])


@dataclass
class Bucket:
    """The settings of a database in the bucket, and the requests since `forget`."""

    settings: Settings
    _recorder: _Recorder = field(default_factory=_Recorder)

    def forget(self) -> None:
        """Count from 0 again."""
        self._recorder.kinds.clear()

    def requests(self) -> Counter[str]:
        """Return how many requests of each kind came: LIST, GET, HEAD, PUT and so on."""
        return Counter(self._recorder.kinds)


@contextmanager
def counting_bucket() -> Iterator[Bucket]:
    """Yield an empty bucket on moto's server."""
    with empty_aws() as port:
        endpoint = f"http://127.0.0.1:{port}"
        client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        client.create_bucket(Bucket=NAME, CreateBucketConfiguration={"LocationConstraint": REGION})
        options = {
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
            "aws_region": REGION,
            "aws_endpoint": endpoint,
            "allow_http": "true",
        }
        path = f"s3://{NAME}/metrics.lancedb"
        bucket = Bucket(Settings(_env_file=None, db_path=path, aws_storage_options=options))
        with _logged_to(bucket._recorder):
            yield bucket


@contextmanager
def _logged_to(recorder: logging.Handler) -> Iterator[None]:
    logger = logging.getLogger("werkzeug")
    before = logger.level, logger.propagate
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(recorder)
    try:
        yield
    finally:
        logger.removeHandler(recorder)
        logger.setLevel(before[0])
        logger.propagate = before[1]
