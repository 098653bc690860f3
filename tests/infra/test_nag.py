from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.acknowledgements import findings
from tests.infra.flavours import FLAVOURS, UNACKNOWLEDGED, settings

if TYPE_CHECKING:
    from tests.infra.conftest import Assembly

UNPREFIXED = {"W9010": "CloudFormation-Validate::W9010"}


def test_every_finding_is_acknowledged(assembly: Assembly) -> None:
    violations = [found for plugin in assembly.report["pluginReports"] for found in plugin["violations"]]

    assert violations == []


@pytest.mark.parametrize("flavour", UNACKNOWLEDGED)
def test_every_acknowledgement_has_a_finding(assemblies: dict[str, Assembly], flavour: str) -> None:
    report = assemblies[f"{flavour}!"].report

    found = {
        (
            construct["constructPath"].split("/")[0],
            UNPREFIXED.get(violation["ruleName"], violation["ruleName"]),
        )
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    }

    acknowledged = findings(settings(flavour))
    assert found == {(str(finding.stack), finding.rule) for finding in acknowledged}


def test_exactly_these_rules_are_acknowledged() -> None:
    rules = {finding.rule.split("[")[0] for name in UNACKNOWLEDGED for finding in findings(settings(name))}

    assert rules == {
        "AwsSolutions-SMG4",  # LanceDB and GitHub rotate the secrets
        "AwsSolutions-S1",  # no access log of private buckets
        "AwsSolutions-VPC7",  # no flow log
        "AwsSolutions-EC23",  # ports 443 and 80 are open
        "AwsSolutions-EC28",  # no detailed monitoring
        "AwsSolutions-EC29",  # no termination protection
        "AwsSolutions-IAM5",  # metrics, log streams, prefixes, templates
        "AwsSolutions-APIG4",  # reads are public
        "AwsSolutions-SQS3",  # the dead-letter queue has no dead-letter queue
        "CloudFormation-Validate::W9010",  # the image is pinned
        "Annotation::@aws-cdk/aws-ec2:noSubnetRouteTableId",  # the routes of the user's subnets
    }


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_every_acknowledgement_has_a_reason(flavour: str) -> None:
    assert all(len(finding.reason) > 20 for finding in findings(settings(flavour)))
