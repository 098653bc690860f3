"""Deployment settings of the infra tests: the smallest, the fullest, and serverless ones."""

from __future__ import annotations

from typing import Any

from infra.settings import DeploymentSettings, parse_settings

SMALLEST: dict[str, Any] = {
    "region": "us-east-1",
    "domain": "example.org",
    "dashboard_origins": ["https://metrics.example.org"],
    "alarm_email": "ops@example.org",
    "storage": "enterprise",
    "host_image": "ami-0123456789abcdef0",
}
FULLEST: dict[str, Any] = {
    **SMALLEST,
    "region": "eu-central-1",
    "hosted_zone_id": "Z0123456789ABCDEFGHIJ",
    "hosted_zone_name": "example.org",
    "storage": "s3",
    "key_pair": "ops",
    "ssh_cidrs": ["203.0.113.0/24", "2001:db8::/48"],
    "ipv6": True,
    "ship_logs": True,
    "lancedb_port": 8443,
    "github_repository": "lancedb/community-metrics",
}
SERVERLESS: dict[str, Any] = {
    **SMALLEST,
    "hosted_zone_id": "Z0123456789ABCDEFGHIJ",
    "hosted_zone_name": "example.org",
    "serverless": True,
    "lambda_image": "sha256:" + "ab" * 32,
}
FLAVOURS = {
    "smallest": SMALLEST,
    "fullest": FULLEST,
    "serverless": SERVERLESS,
    "serverless-s3": {**SERVERLESS, "storage": "s3", "region": "eu-central-1"},
}
VARIANTS: dict[str, dict[str, Any]] = {  # a flavour with one change
    "cluster-port": {**SMALLEST, "lancedb_port": 8443, "ipv6": True},
    "other-mail": {**FULLEST, "alarm_email": "others@example.org"},
    "pipeline": {
        **SMALLEST,
        "github_repository": "acme@1234/metrics@5678",
        "github_environment": "live",
        "github_oidc_provider": "existing",
    },
    "no-zone": {key: value for key, value in FULLEST.items() if not key.startswith("hosted_zone")},
}


def settings(flavour: str, **changes: Any) -> DeploymentSettings:
    return parse_settings({**(FLAVOURS | VARIANTS)[flavour], **changes}, origin=f"<{flavour}>")
