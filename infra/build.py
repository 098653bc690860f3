"""Build a deployment's stacks from its settings, with the dependencies between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import App, Environment, Stack, Tags, Validations
from cdk_nag import AwsSolutionsChecks

from infra.dns_stack import DnsStack
from infra.health_stack import HealthStack
from infra.host_stack import HostStack
from infra.monitoring_stack import MonitoringStack
from infra.names import HEALTH_REGION, PRODUCT, StackName
from infra.pipeline_stack import PipelineStack
from infra.secrets_stack import SecretsStack
from infra.serverless_stack import ServerlessStack
from infra.storage_stack import StorageStack

if TYPE_CHECKING:
    from infra.release import Release
    from infra.settings import DeploymentSettings


def build(app: App, settings: DeploymentSettings, release: Release) -> None:
    """Add every stack of the deployment to the app, checked by cdk-nag.

    While the Lambda functions have no image, only the pipeline, secrets and storage stacks are built: the
    storage stack has the repository to push the image to.
    """
    common: dict[str, Any] = {"settings": settings, "env": Environment(region=settings.region)}
    first: list[Stack] = [
        SecretsStack(app, settings.named(StackName.SECRETS), termination_protection=True, **common),
        StorageStack(app, settings.named(StackName.STORAGE), termination_protection=True, **common),
    ]
    if settings.github_repository:
        PipelineStack(app, settings.named(StackName.PIPELINE), **common)
    if not settings.awaits_image:
        _build_remaining(app, settings, release, common, first)
    Tags.of(app).add("project", PRODUCT)
    if settings.stage:  # CloudFormation rejects a tag with an empty value
        Tags.of(app).add("stage", settings.stage)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))


def _build_remaining(
    app: App, settings: DeploymentSettings, release: Release, common: dict[str, Any], first: list[Stack]
) -> None:
    monitoring = MonitoringStack(app, settings.named(StackName.MONITORING), **common)
    api = _build_api(app, settings, release, common)
    for stack in (*first, monitoring):
        api.add_stack_dependency(stack)
    last: Stack = api
    if settings.hosted_zone_id:
        name = settings.named(StackName.DNS)
        last = DnsStack(app, name, target=api.record_target, ipv6_address=api.ipv6_address, **common)
    health = HealthStack(
        app, settings.named(StackName.HEALTH), settings=settings, env=Environment(region=HEALTH_REGION)
    )
    health.add_stack_dependency(last)


def _build_api(
    app: App, settings: DeploymentSettings, release: Release, common: dict[str, Any]
) -> HostStack | ServerlessStack:
    if settings.serverless:
        return ServerlessStack(app, settings.named(StackName.SERVERLESS), **common)
    return HostStack(app, settings.named(StackName.HOST), release=release, **common)
