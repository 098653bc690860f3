"""Backups in an S3 bucket, with the credentials and the region of the usual AWS environment."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Self

import boto3
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from community_metrics.errors import BackupDamaged, BackupUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from community_metrics.backup.manifest import StoredFile
    from community_metrics.config import Settings

_CONFIG: Final = Config(
    connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 4}
)
_KEYS_OF_ONE_REMOVAL: Final = 1_000
"""The most that S3 removes by one request."""
_OPTIONS: Final = {
    "aws_access_key_id": "aws_access_key_id",
    "aws_secret_access_key": "aws_secret_access_key",
    "aws_session_token": "aws_session_token",
    "aws_region": "region_name",
    "aws_endpoint": "endpoint_url",
}
"""boto3's name of each option that the settings read from the environment."""


@dataclass(frozen=True, slots=True)
class BucketPlace:
    """A prefix of a bucket. Only putting needs no more than `s3:PutObject`.

    `reader` returns the client that lists and fetches: `client`, or one with the role of CM_BACKUP_READ_ROLE.
    """

    client: Any
    reader: Callable[[], Any]
    bucket: str
    prefix: str

    @classmethod
    def of(cls, settings: Settings, target: str) -> Self:
        """Return the place that `s3://bucket/prefix` names.

        Raises:
            BackupUnavailable: no region is set.
        """
        bucket, _, prefix = target.removeprefix("s3://").partition("/")
        options = settings.aws_storage_options
        given: dict[str, Any] = {name: options[ours] for ours, name in _OPTIONS.items() if ours in options}
        try:
            client = boto3.Session().client("s3", config=_CONFIG, **given)
        except (BotoCoreError, ValueError) as error:
            raise BackupUnavailable(f"{target} cannot be used: {error} Fix: set AWS_REGION.") from None
        role = settings.backup_read_role
        # when it is first needed: what only puts files does not assume the role
        reader = cache(lambda: client if role is None else _client_of_role(role, given))
        return cls(client, reader, bucket, prefix.strip("/"))

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def put(self, key: str, file: Path) -> None:
        """Upload a file; S3 shows it only when it is whole.

        Raises:
            BackupUnavailable: the bucket does not take it.
        """
        with self._translated(f"{key} cannot be written", "s3:PutObject"):
            self.client.upload_file(str(file), self.bucket, self._full(key))

    def fetch(self, key: str, file: Path) -> None:
        """Download what is stored to a file.

        Raises:
            BackupDamaged: nothing is stored under the key.
            BackupUnavailable: the bucket does not return it.
        """
        with self._translated(f"{key} cannot be read", "s3:GetObject"):
            try:
                self.reader().download_file(self.bucket, self._full(key), str(file))
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] != HTTPStatus.NOT_FOUND:
                    raise
                raise BackupDamaged(
                    f"{self} has no file {key}. Fix: choose another backup with --backup ID."
                ) from None

    def holds(self, file: StoredFile) -> bool:
        """Return whether a file of this length is stored; reading its content costs as much as storing it.

        Raises:
            BackupUnavailable: the bucket does not tell.
        """
        with self._translated(f"{file.key} cannot be read", "s3:GetObject"):
            try:
                found = self.reader().head_object(Bucket=self.bucket, Key=self._full(file.key))
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] != HTTPStatus.NOT_FOUND:
                    raise
                return False
            return bool(found["ContentLength"] == file.bytes)

    def keys(self) -> list[str]:
        """Return the key of every file below the prefix, in order.

        Raises:
            BackupUnavailable: the bucket does not list them.
        """
        start = f"{self.prefix}/" if self.prefix else ""
        with self._translated("the files cannot be listed", "s3:ListBucket"):
            pages = self.reader().get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=start)
            return sorted(
                one["Key"].removeprefix(start) for page in pages for one in page.get("Contents", ())
            )

    def unfinished(self) -> list[str]:
        """Return none: S3 shows no part of a file, and the bucket's lifecycle removes it."""
        return []

    def remove(self, keys: Sequence[str]) -> None:
        """Remove files; a bucket with versions keeps what they were until its lifecycle removes it.

        Raises:
            BackupUnavailable: the bucket does not remove one.
        """
        with self._translated("old backups cannot be removed", "s3:DeleteObject"):
            for start in range(0, len(keys), _KEYS_OF_ONE_REMOVAL):
                some = [{"Key": self._full(key)} for key in keys[start : start + _KEYS_OF_ONE_REMOVAL]]
                answer = self.client.delete_objects(Bucket=self.bucket, Delete={"Objects": some})
                for refused in answer.get("Errors", ()):
                    raise BackupUnavailable(
                        f"{self}: {refused['Key']} cannot be removed: {refused.get('Code')}. Fix: allow "
                        "s3:DeleteObject, or set CM_BACKUP_WRITE_ONLY=true."
                    )

    def _full(self, key: str) -> str:
        return f"{self.prefix}/{key}" if self.prefix else key

    @contextmanager
    def _translated(self, problem: str, action: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise BackupUnavailable(
                f"{self}: {problem}: {error.strerror or error}. Fix: make room for temporary files."
            ) from error
        except (ClientError, BotoCoreError, Boto3Error) as error:
            text = " ".join(str(error).split())[:300]
            fix = f"Fix: check the bucket's name, and allow this role {action} on it."
            if action != "s3:PutObject":
                fix += " A role that may only write needs CM_BACKUP_WRITE_ONLY=true."
            raise BackupUnavailable(f"{self}: {problem}: {text}. {fix}") from None


def _client_of_role(role: str, given: dict[str, Any]) -> Any:
    """Return a client with the rights of a role, which are valid for an hour."""
    own = {name: value for name, value in given.items() if name != "endpoint_url"}  # that is S3's
    sts = boto3.Session().client("sts", config=_CONFIG, **own)
    try:
        answer = sts.assume_role(RoleArn=role, RoleSessionName="community-metrics")["Credentials"]
    except (ClientError, BotoCoreError) as error:
        text = " ".join(str(error).split())[:300]
        raise BackupUnavailable(
            f"The role {role} cannot be assumed: {text}. Fix: let the role trust this one, or correct "
            "CM_BACKUP_READ_ROLE."
        ) from None
    credentials = {
        "aws_access_key_id": answer["AccessKeyId"],
        "aws_secret_access_key": answer["SecretAccessKey"],
        "aws_session_token": answer["SessionToken"],
    }
    return boto3.Session().client("s3", config=_CONFIG, **(given | credentials))
