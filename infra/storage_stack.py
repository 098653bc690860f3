"""The storage stack: the buckets of the certificate, the database and its backups; the image repository."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from infra import arns
from infra.names import IMAGE_REPOSITORY

if TYPE_CHECKING:
    from constructs import Construct

    from infra.settings import DeploymentSettings

OLD_VERSIONS_KEPT = Duration.days(30)
# the newest backup of each of 24 months; the role that writes them cannot delete any
BACKUPS_KEPT = Duration.days(24 * 31)
# longer than the month between two restore drills, which would find a backup that was overwritten
OVERWRITTEN_BACKUPS_KEPT = Duration.days(90)
UNFINISHED_UPLOADS_KEPT = Duration.days(7)
UNTAGGED_KEPT = Duration.days(7)


class StorageStack(Stack):
    """Creates the private buckets, retained on removal, and the repository of Lambda images."""

    def __init__(self, scope: Construct, id_: str, *, settings: DeploymentSettings, **stack: Any) -> None:
        super().__init__(scope, id_, **stack)
        self._build_bucket("Certificates", arns.certificates_bucket(self, settings), _old_versions())
        if settings.storage == "s3":
            self._build_bucket("Data", arns.data_bucket(self, settings), _old_versions())
        # also while backups are off: a bucket that is retained could not be created a second time
        self._build_bucket("Backups", arns.backup_bucket(self, settings), _old_backups())
        self._build_image_repository(settings)

    def _build_bucket(self, id_: str, name: str, kept: s3.LifecycleRule) -> None:
        s3.Bucket(
            self,
            id_,
            bucket_name=name,
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            lifecycle_rules=[kept],
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )

    def _build_image_repository(self, settings: DeploymentSettings) -> None:
        repository = ecr.Repository(
            self,
            "Images",
            repository_name=settings.named(IMAGE_REPOSITORY),
            image_scan_on_push=True,
            image_tag_mutability=ecr.TagMutability.IMMUTABLE,
            # a rule cannot know which image a function uses; an immutable tag keeps every pushed image
            lifecycle_rules=[
                ecr.LifecycleRule(tag_status=ecr.TagStatus.UNTAGGED, max_image_age=UNTAGGED_KEPT)
            ],
            empty_on_delete=True,
            removal_policy=RemovalPolicy.DESTROY,
        )
        repository.add_to_resource_policy(
            iam.PolicyStatement(
                sid="LambdaMayPull",
                principals=[iam.ServicePrincipal("lambda.amazonaws.com")],
                actions=["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                conditions={"StringLike": {"aws:sourceArn": arns.function_arns(self, settings)}},
            )
        )


def _old_versions() -> s3.LifecycleRule:
    """Return the rule for objects that programs delete: their old versions expire."""
    return s3.LifecycleRule(
        noncurrent_version_expiration=OLD_VERSIONS_KEPT,
        # a delete marker is left when the last old version has expired
        expired_object_delete_marker=True,
        abort_incomplete_multipart_upload_after=UNFINISHED_UPLOADS_KEPT,
    )


def _old_backups() -> s3.LifecycleRule:
    """Return the rule for backups, which nobody else deletes; S3 removes its own delete markers too."""
    return s3.LifecycleRule(
        expiration=BACKUPS_KEPT,
        noncurrent_version_expiration=OVERWRITTEN_BACKUPS_KEPT,
        abort_incomplete_multipart_upload_after=UNFINISHED_UPLOADS_KEPT,
    )
