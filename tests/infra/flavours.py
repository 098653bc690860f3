"""Deployment settings of the infra tests: the smallest, the fullest, and serverless ones."""

from __future__ import annotations

from typing import Any

from infra.settings import DeploymentSettings, parse_settings

SMALLEST: dict[str, Any] = {
    "region": "us-east-1",
    "domain": "example.org",
    "dashboard_origins": ["https://metrics.example.org"],
    "alarm_email": "ops@example.org",
    "contact": "https://example.org/contact",
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
    "ship_logs": False,
    "session_manager": False,
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
IN_A_VPC: dict[str, Any] = {  # of the user's
    "vpc_id": "vpc-0123456789abcdef0",
    "public_subnet_id": "subnet-0123456789abcdef0",
    "private_subnet_ids": ["subnet-0123456789abcdef1", "subnet-0123456789abcdef2"],
}
PRIVATELINK: dict[str, Any] = {
    "privatelink_service": "com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0",
    "privatelink_domain": "metrics.lancedb.example",
    "lancedb_port": 8443,
}
DELIVERY: dict[str, Any] = {"enabled": True, "ses_identity": "metrics@example.org"}
FLAVOURS = {
    "smallest": SMALLEST,
    "fullest": FULLEST,
    "serverless": SERVERLESS,
    "serverless-s3": {**SERVERLESS, "storage": "s3", "region": "eu-central-1"},
    "host-in-a-vpc": {**SMALLEST, **IN_A_VPC},
    "host-privatelink": {**SMALLEST, **PRIVATELINK, "availability_zone": "us-east-1b"},
    "serverless-in-a-vpc": {**SERVERLESS, **IN_A_VPC},
    "serverless-privatelink": {**SERVERLESS, **PRIVATELINK},
}
# a catalogue of another project
CATALOG = """\
[[product]]
id = "httpx"
name = "HTTPX"
[[metric]]
id = "downloads:httpx:python"
source = "pypistats"
subject = "httpx"
sdk = "python"
window = "1d"
display_name = "HTTPX"
"""
# one of each network and of each stack
UNACKNOWLEDGED = ("fullest", "serverless-s3", "host-in-a-vpc", "serverless-privatelink")
PRIVATE = ("host-in-a-vpc", "host-privatelink", "serverless-in-a-vpc", "serverless-privatelink")
VARIANTS: dict[str, dict[str, Any]] = {  # a flavour with one change
    "cluster-port": {**SMALLEST, "lancedb_port": 8443, "ipv6": True},
    "zone-b": {**SMALLEST, "availability_zone": "us-east-1b", "ipv6": True},
    "with-ipv6": {**SMALLEST, "ipv6": True},
    "other-cluster": {
        **SMALLEST,
        **PRIVATELINK,
        "availability_zone": "us-east-1b",
        "privatelink_domain": "other.lancedb.example",
    },
    "other-type": {**SMALLEST, "instance_type": "t4g.medium"},
    "other-mail": {**FULLEST, "alarm_email": "others@example.org"},
    "staging": {**FULLEST, "stage": "staging"},
    "staging-serverless": {**SERVERLESS, "storage": "s3", "region": "eu-central-1", "stage": "staging"},
    "pipeline": {
        **SMALLEST,
        "github_repository": "acme@1234/metrics@5678",
        "github_environment": "live",
        "github_oidc_provider": "existing",
    },
    "host-delivery": {**FULLEST, "delivery": {**DELIVERY, "smtp_port": 465}},
    "serverless-delivery": {
        **SERVERLESS,
        **PRIVATELINK,
        "delivery": {**DELIVERY, "ses_identity": "example.org"},
    },
    "delivery-off": {**SMALLEST, "delivery": {**DELIVERY, "enabled": False, "smtp_port": 465}},
    "backup-off": {**SMALLEST, "backup": {"enabled": False}},
    "no-zone": {key: value for key, value in FULLEST.items() if not key.startswith("hosted_zone")},
}


def settings(flavour: str, **changes: Any) -> DeploymentSettings:
    return parse_settings({**(FLAVOURS | VARIANTS)[flavour], **changes}, origin=f"<{flavour}>")
