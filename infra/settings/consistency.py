"""Contradictions between settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infra.settings.network import network_errors

if TYPE_CHECKING:
    from collections.abc import Mapping

INVALID = object()  # replaces a value that has its own error


def inconsistencies(content: Mapping[str, Any]) -> list[str]:
    """Return the contradictions between settings; `INVALID` counts as set to an unknown value."""
    errors = [*_zone_errors(content), *_hosting_errors(content), *network_errors(content)]
    if content.get("ssh_cidrs") and content.get("key_pair") is None:
        errors.append(
            "ssh_cidrs opens port 22, but nobody can use it without key_pair; set it, or remove ssh_cidrs: "
            "Session Manager needs neither"
        )
    return errors


def _zone_errors(content: Mapping[str, Any]) -> list[str]:
    zone, domain = content.get("hosted_zone_name"), content.get("domain")
    if (content.get("hosted_zone_id") is None) != (zone is None):
        return ["hosted_zone_id and hosted_zone_name go together; set both or neither"]
    if not isinstance(zone, str) or not isinstance(domain, str):
        return []
    if domain == zone or domain.endswith(f".{zone}"):
        return []
    return [f"domain is {domain!r}, which is outside the hosted zone {zone!r}"]


def _hosting_errors(content: Mapping[str, Any]) -> list[str]:
    serverless = content.get("serverless", False)
    if serverless is INVALID:
        return []
    if not serverless:
        is_set = content.get("host_image") is not None
        return [] if is_set else ["host_image is not set; the host needs the id of a Debian 13 image"]
    errors = []
    if content.get("hosted_zone_id") is None:
        errors.append("serverless = true needs hosted_zone_id: the certificate is validated by a DNS record")
    errors += [
        f"{name} = true is for the host; remove it with serverless = true"
        for name in ("ipv6", "ship_logs", "session_manager")
        if content.get(name) is True
    ]
    return errors
