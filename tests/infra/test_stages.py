"""Two stages of one account and region share no name, and the roles of one cannot use what the other has."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from infra import arns, names
from infra.acknowledgements import findings
from infra.names import staged
from infra.schedule import schedules_of
from tests.infra.flavours import settings
from tests.infra.resolve import resolve
from tests.infra.test_templates import facts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.infra.conftest import Assembly

NAMES_OF_OTHERS = ("MetricName", "KeyName", "StageName")
PAIRS = list(product(("fullest", "serverless-s3"), ("staging", "staging-serverless")))
two_stages = pytest.mark.parametrize(("production", "staging"), PAIRS)
# all stages of an account have the assets bucket of `cdk bootstrap`, with digests as names, and its roles
SHARED = ("arn:aws:s3:::cdk-hnb659fds-assets-", "arn:aws:iam::123456789012:role/cdk-hnb659fds-")
LOGIN_TO_REGISTRY = "ecr:GetAuthorizationToken"  # has no resource types, and reaches no repository


def physical_names(assembly: Assembly) -> set[tuple[str, str]]:
    """Return each name that a resource has, by the resource's type; a reference to a resource is no name."""
    return {
        (resource["Type"], value)
        for template in assembly.stacks.values()
        for resource in template["Resources"].values()
        for key, value in resolve(resource["Properties"]).items()
        if key.endswith("Name")
        and key not in NAMES_OF_OTHERS
        and isinstance(value, str)
        and not value.startswith("<")
    }


def stack_names(assembly: Assembly) -> set[str]:
    manifest = json.loads((assembly.path / "manifest.json").read_text(encoding="utf-8"))
    stacks = [item for item in manifest["artifacts"].values() if item["type"] == "aws:cloudformation:stack"]
    return {item["properties"].get("stackName") or item["displayName"] for item in stacks}


def exports(assembly: Assembly) -> set[str]:
    outputs = [one for template in assembly.stacks.values() for one in template.get("Outputs", {}).values()]
    return {resolve(output["Export"]["Name"]) for output in outputs if "Export" in output}


def allowed(value: Any) -> Iterator[tuple[str, Any]]:
    """Return each resource of a statement that allows something, with the statement's condition."""
    if isinstance(value, list):
        for item in value:
            yield from allowed(item)
    elif isinstance(value, dict) and value.get("Effect") == "Allow" and value["Action"] != LOGIN_TO_REGISTRY:
        resources = value.get("Resource", [])
        for resource in [resources] if isinstance(resources, str) else resources:
            yield resource, value.get("Condition")
    elif isinstance(value, dict):
        for item in value.values():
            yield from allowed(item)


def permissions(assembly: Assembly) -> dict[str, Any]:
    templates = [resolve(template["Resources"]) for template in assembly.stacks.values()]
    return {
        resource: condition
        for resource, condition in allowed(templates)
        # a reference is to a resource of the same stack
        if not resource.startswith(("<", *SHARED))
    }


@two_stages
def test_two_stages_share_no_name(assemblies: dict[str, Assembly], production: str, staging: str) -> None:
    for found in (physical_names, stack_names, exports):
        ours, others = found(assemblies[production]), found(assemblies[staging])
        assert ours, found
        assert not ours & others, found


@two_stages
def test_a_role_of_a_stage_can_use_nothing_of_another(
    assemblies: dict[str, Assembly], production: str, staging: str
) -> None:
    ours, others = permissions(assemblies[production]), permissions(assemblies[staging])

    for one, other in product(ours, others):
        if "*" in {one, other}:
            continue
        assert not fnmatchcase(one, other), (one, other)
        assert not fnmatchcase(other, one), (one, other)
    # the only permission for every resource is limited by its condition
    assert ours["*"] == {"StringEquals": {"cloudwatch:namespace": "CommunityMetrics"}}
    assert others["*"] == {"StringEquals": {"cloudwatch:namespace": "CommunityMetrics/staging"}}


def test_only_the_functions_of_a_stage_can_pull_its_image(assemblies: dict[str, Assembly]) -> None:
    def pulling(name: str) -> set[str]:
        policy = resolve(assemblies[name].properties("AWS::ECR::Repository"))["RepositoryPolicyText"]
        (statement,) = policy["Statement"]
        return {
            arn.partition(":function:")[2] for arn in statement["Condition"]["StringLike"]["aws:sourceArn"]
        }

    for stage, prefix in (("serverless-s3", "community-metrics"), ("staging", "community-metrics-staging")):
        functions = {f"{prefix}-api", f"{prefix}-jobs"}
        assert pulling(stage) == {f"{name}{version}" for name in functions for version in ("", ":*")}


@two_stages
def test_the_alarms_and_gauges_of_a_stage_are_its_own(
    assemblies: dict[str, Assembly], production: str, staging: str
) -> None:
    def watched(name: str) -> set[str]:
        alarms = assemblies[name].properties_of("AWS::CloudWatch::Alarm")
        return {alarm["Namespace"] for alarm in alarms if not alarm["Namespace"].startswith("AWS/")}

    assert watched(production) == {"CommunityMetrics"}
    assert watched(staging) == {"CommunityMetrics/staging"}


def test_the_host_of_a_stage_reads_the_names_of_its_stage(assemblies: dict[str, Assembly]) -> None:
    found = facts(assemblies["staging"])

    assert found["stack"] == "community-metrics-staging-host"
    assert found["api_host"] == "metrics-api-staging.example.org"
    assert found["environment"]["CM_DEPLOYMENT_STAGE"] == "staging"
    assert "CM_DEPLOYMENT_STAGE" not in facts(assemblies["fullest"])["environment"]
    assert "secrets put --region eu-central-1 --storage s3 --stage staging" in found["put_secrets"]
    # what is left without the stage is the program's own name, and folders of the host
    text = json.dumps(
        {name: value for name, value in found.items() if name not in {"put_secrets", "releases"}}
    )
    assert text.count("community-metrics") == text.count("community-metrics-staging") > 0


def test_every_resource_has_the_tags_of_its_project_and_stage(assemblies: dict[str, Assembly]) -> None:
    for flavour, expected in (
        ("staging", {"project": "community-metrics", "stage": "staging"}),
        ("fullest", {"project": "community-metrics"}),  # CloudFormation rejects a tag with an empty value
    ):
        for tags in [one["Tags"] for one in assemblies[flavour].properties_of("AWS::S3::Bucket")]:
            assert {tag["Key"]: tag["Value"] for tag in tags} == expected


@pytest.mark.parametrize("flavour", ["smallest", "fullest", "serverless-s3", "staging"])
def test_the_stacks_that_hold_data_are_protected_from_deletion(
    assemblies: dict[str, Assembly], flavour: str
) -> None:
    manifest = json.loads((assemblies[flavour].path / "manifest.json").read_text(encoding="utf-8"))
    protected = {
        name.rpartition("-")[2]
        for name, item in manifest["artifacts"].items()
        if item["type"] == "aws:cloudformation:stack" and item["properties"].get("terminationProtection")
    }

    assert protected == {"secrets", "storage"}


def test_the_findings_of_a_stage_name_its_resources() -> None:
    rules = [finding.rule for finding in findings(settings("staging"))]

    assert all("community-metrics-staging" in rule for rule in rules if "community-metrics" in rule)


BUCKETS = ("tls", "data", "bkup")
FIXED_NAMES: dict[str, set[str]] = {
    "stacks": {*names.StackName, f"{names.StackName.HEALTH}-eu-central-1"},
    "log groups": {*names.LogGroup},
    "secrets": {entry.name for entry in names.SECRETS},
    "functions": {f"{names.PRODUCT}-{reader}" for reader in names.FUNCTIONS},
    "schedules": {f"{names.PRODUCT}-{name}" for name in schedules_of(settings("serverless-delivery"))},
    "buckets": {f"{names.PRODUCT}-{purpose}-123456789012-eu-central-1" for purpose in BUCKETS},
    "topics": {arns.ALARM_TOPIC, f"{arns.ALARM_TOPIC}-eu-central-1"},
    "alarms": {
        f"{names.PRODUCT}-{name}"
        for name in ("api-down-eu-central-1", "api-errors", "job-error", "bad-runs", "run-failed")
    },
}


@pytest.mark.parametrize("kind", FIXED_NAMES)
@pytest.mark.parametrize(
    "stage",
    ["api", "jobs", "host", "health", "secrets", "dead", "data", "tls", "bkup", "eu", "catch", "backup"],
)
def test_a_stage_called_like_a_part_of_a_name_has_other_names_too(kind: str, stage: str) -> None:
    assert not {staged(name, stage) for name in FIXED_NAMES[kind]} & FIXED_NAMES[kind]


def test_the_longest_name_of_a_bucket_is_within_the_limit_of_s3() -> None:
    longest = settings("staging", stage="s" * 12, region="ap-southeast-1")

    for purpose in BUCKETS:
        assert len(arns.bucket_name(longest, purpose, "123456789012", longest.region)) <= 63
