"""The DNS stack: points the API's domain name at the host or at the HTTP API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_route53 as route53

if TYPE_CHECKING:
    from constructs import Construct

    from infra.settings import DeploymentSettings

TTL = Duration.minutes(1)  # for so long clients may use the old address after a switch


class DnsStack(Stack):
    """Creates the A record, and the AAAA record if there is an IPv6 address."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        settings: DeploymentSettings,
        target: route53.RecordTarget,
        ipv6_address: str | None = None,
        **stack: Any,
    ) -> None:
        super().__init__(scope, id_, **stack)
        zone = hosted_zone(self, settings)
        # an alias record has the TTL of its target
        ttl = None if target.alias_target else TTL
        route53.ARecord(self, "A", zone=zone, record_name=settings.api_host, target=target, ttl=ttl)
        if ipv6_address is not None:
            addresses = route53.RecordTarget.from_ip_addresses(ipv6_address)
            route53.AaaaRecord(
                self, "Aaaa", zone=zone, record_name=settings.api_host, target=addresses, ttl=TTL
            )


def hosted_zone(scope: Construct, settings: DeploymentSettings) -> route53.IHostedZone:
    """Return the hosted zone in the settings, without a lookup."""
    return route53.HostedZone.from_hosted_zone_attributes(
        scope,
        "Zone",
        hosted_zone_id=str(settings.hosted_zone_id),
        zone_name=str(settings.hosted_zone_name),
    )
