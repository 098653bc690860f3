"""Settings in, stacks out: which stacks a deployment has, and in which order they come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import App, Environment, Stack, Tags, Validations
from aws_cdk import aws_route53 as route53
from cdk_nag import AwsSolutionsChecks

from infra.dns_stack import DnsStack
from infra.health_stack import HealthStack
from infra.host_stack import HostStack
from infra.monitoring_stack import MonitoringStack
from infra.names import HEALTH_REGION, PRODUCT, StackName
from infra.secrets_stack import SecretsStack
from infra.serverless_stack import ServerlessStack
from infra.storage_stack import StorageStack

if TYPE_CHECKING:
    from infra.release import Release
    from infra.settings import DeploymentSettings


@dataclass(frozen=True, slots=True)
class _Front:
    """What answers: the stack it is in, and how DNS points at it."""

    stack: Stack
    target: route53.RecordTarget
    ipv6_address: str | None


def build(app: App, settings: DeploymentSettings, release: Release) -> None:
    """Add every stack of the deployment to the app, checked by cdk-nag.

    Functions without an image yet: secrets and storage only, since storage has the repository to push it to.
    """
    common: dict[str, Any] = {"settings": settings, "env": Environment(region=settings.region)}
    first: list[Stack] = [
        SecretsStack(app, StackName.SECRETS, **common),
        StorageStack(app, StackName.STORAGE, **common),
    ]
    if not settings.awaits_image:
        _build_the_rest(app, settings, release, common, first)
    Tags.of(app).add("project", PRODUCT)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))


def _build_the_rest(
    app: App, settings: DeploymentSettings, release: Release, common: dict[str, Any], first: list[Stack]
) -> None:
    monitoring = MonitoringStack(app, StackName.MONITORING, **common)
    front = _build_front(app, settings, release, common)
    for stack in (*first, monitoring):
        front.stack.add_stack_dependency(stack)
    last = front.stack
    if settings.hosted_zone_id:
        last = DnsStack(app, StackName.DNS, target=front.target, ipv6_address=front.ipv6_address, **common)
    health = HealthStack(app, StackName.HEALTH, settings=settings, env=Environment(region=HEALTH_REGION))
    health.add_stack_dependency(last)


def _build_front(app: App, settings: DeploymentSettings, release: Release, common: dict[str, Any]) -> _Front:
    if settings.serverless:
        functions = ServerlessStack(app, StackName.SERVERLESS, **common)
        return _Front(functions, functions.alias, None)
    host = HostStack(app, StackName.HOST, release=release, **common)
    return _Front(host, route53.RecordTarget.from_ip_addresses(host.address), host.ipv6_address)
