"""A Lambda function from the container image, with its own role and log group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration, Size
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra import arns
from infra.backup_reader import build_backup_reader
from infra.names import FUNCTIONS, IMAGE_REPOSITORY, Reader
from infra.network import PRIVATE
from infra.runtime_env import backup_settings, plain_settings, secret_ids

if TYPE_CHECKING:
    from infra.names import LogGroup
    from infra.network import FunctionNetwork
    from infra.settings import DeploymentSettings

HANDLERS = {
    Reader.API: "community_metrics.aws.lambda_api.handler",
    Reader.JOBS: "community_metrics.aws.lambda_jobs.handler",
}
MEMORY_MIB = {Reader.API: 1024, Reader.JOBS: 1536}
# of /tmp: the restore drill has every file of a backup there, and the database that it restores
SCRATCH = {Reader.API: None, Reader.JOBS: Size.gibibytes(4)}
# API Gateway times out after 30 s; Lambda's maximum is 15 minutes
TIMEOUTS = {Reader.API: Duration.seconds(29), Reader.JOBS: Duration.minutes(15)}


class Function(Construct):
    """Runs one handler of the package with the secrets of one reader."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        settings: DeploymentSettings,
        reader: Reader,
        policy: list[iam.PolicyStatement],
        log_group: LogGroup,
        network: FunctionNetwork | None,
    ) -> None:
        super().__init__(scope, id_)
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={str(reader): iam.PolicyDocument(statements=policy)},
        )
        self.function = lambda_.DockerImageFunction(
            self,
            "Function",
            function_name=arns.function_name(settings, reader),
            code=self._code(settings, reader),
            architecture=lambda_.Architecture.ARM_64,
            memory_size=MEMORY_MIB[reader],
            timeout=TIMEOUTS[reader],
            # CDK does not change an imported role: it has the statements of policies.py only
            role=role.without_policy_updates(),
            ephemeral_storage_size=SCRATCH[reader],
            environment=self._environment(settings, reader, role),
            log_group=logs.LogGroup.from_log_group_name(self, "Log", settings.named(log_group)),
            vpc=network.vpc if network else None,
            vpc_subnets=PRIVATE if network else None,
            security_groups=[network.firewall] if network else None,
        )
        if network is not None and network.cluster is not None:
            self.function.node.add_dependency(network.cluster)

    def _environment(self, settings: DeploymentSettings, reader: Reader, role: iam.Role) -> dict[str, str]:
        variables = {**plain_settings(self, settings), **secret_ids(settings, *FUNCTIONS[reader])}
        if reader is Reader.JOBS:
            variables |= backup_settings(self, settings, build_backup_reader(self, settings, role))
        return variables

    def _code(self, settings: DeploymentSettings, reader: Reader) -> lambda_.DockerImageCode:
        return lambda_.DockerImageCode.from_ecr(
            ecr.Repository.from_repository_name(self, "Images", settings.named(IMAGE_REPOSITORY)),
            tag_or_digest=settings.lambda_image,
            cmd=[HANDLERS[reader]],
        )
