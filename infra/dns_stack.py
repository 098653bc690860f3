"""The DNS stack: the API's name, pointing at the host or at the HTTP API. It alone changes in a switch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_route53 as route53

if TYPE_CHECKING:
    from constructs import Construct

    from infra.settings import DeploymentSettings

TTL = Duration.minutes(1)  # what a client may still believe after a switch


class DnsStack(Stack):
    """Makes the A record, and the AAAA record where there is an address for it."""

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
        # an alias has the TTL of what it points to
        ttl = None if target.alias_target else TTL
        route53.ARecord(self, "A", zone=zone, record_name=settings.api_host, target=target, ttl=ttl)
        if ipv6_address is not None:
            addresses = route53.RecordTarget.from_ip_addresses(ipv6_address)
            route53.AaaaRecord(
                self, "Aaaa", zone=zone, record_name=settings.api_host, target=addresses, ttl=TTL
            )


def hosted_zone(scope: Construct, settings: DeploymentSettings) -> route53.IHostedZone:
    """Return the zone that the settings name, without looking it up."""
    return route53.HostedZone.from_hosted_zone_attributes(
        scope,
        "Zone",
        hosted_zone_id=str(settings.hosted_zone_id),
        zone_name=str(settings.hosted_zone_name),
    )
