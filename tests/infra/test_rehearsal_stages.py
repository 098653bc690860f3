"""The CDK CLI deploys a stage beside production in one account, with the catalogue of another project."""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from infra.names import CATALOG_PATH
from tests.infra.flavours import CATALOG, SERVERLESS, SMALLEST
from tests.infra.rehearsal.readback import World, read_back
from tests.infra.rehearsal.stage import Stage, open_stage

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "eu-central-1"
PRODUCTION, STAGING = "metrics-api.example.org.", "metrics-api-staging.example.org."
pytestmark = pytest.mark.timeout(540)  # the first test runs every deploy


@dataclass(frozen=True, slots=True)
class TwoStages:
    """The state of AWS before and after the second stage was deployed."""

    stage: Stage
    alone: World
    beside: World
    records: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoStages]:
    with open_stage(tmp_path_factory.mktemp("two")) as stage:
        stage.bootstrap(REGION, "us-east-1")
        route53 = stage.client("route53", REGION)
        made = route53.create_hosted_zone(Name="example.org", CallerReference="stages")
        zone = made["HostedZone"]["Id"].rpartition("/")[2]
        common = {
            "region": REGION,
            "hosted_zone_id": zone,
            "hosted_zone_name": "example.org",
            "catalog": "my-catalog.toml",
        }
        (stage.tree / "my-catalog.toml").write_text(CATALOG, encoding="utf-8")
        stage.write_settings({**SMALLEST, **common})
        stage.deploy(REGION)
        alone = read_back(stage, REGION, zone)
        stage.write_settings({**SERVERLESS, **common, "stage": "staging", "storage": "s3"})
        stage.deploy(REGION)
        found = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        records = {item["Name"]: item for item in found if item["Type"] == "A"}
        yield TwoStages(stage, alone, read_back(stage, REGION, zone), records)


def test_a_second_stage_changes_nothing_of_the_first(two: TwoStages) -> None:
    before, after = two.alone, two.beside

    assert after.box["InstanceId"] == before.box["InstanceId"]
    assert after.user_data == before.user_data
    assert after.address == before.address
    assert two.records[PRODUCTION] == before.records["A"]
    assert before.secrets.items() < after.secrets.items()
    assert before.buckets < after.buckets
    assert before.alarms.items() < after.alarms.items()
    assert before.log_retention_days.items() < after.log_retention_days.items()


def test_the_second_stage_has_its_own_name_secrets_buckets_and_gauges(two: TwoStages) -> None:
    new_alarms = {
        name: two.beside.alarms[name] for name in two.beside.alarms.keys() - two.alone.alarms.keys()
    }

    assert "execute-api" in two.records[STAGING]["AliasTarget"]["DNSName"]
    assert two.beside.secrets.keys() - two.alone.secrets.keys() == {
        "community-metrics-staging/github-token",
        "community-metrics-staging/api-token-hashes",
    }
    assert two.beside.buckets - two.alone.buckets == {
        f"community-metrics-staging-{purpose}-123456789012-{REGION}" for purpose in ("tls", "data", "bkup")
    }
    assert new_alarms
    assert all(name.startswith("staging-") for name in new_alarms)
    ours = {one["Namespace"] for one in new_alarms.values() if not one["Namespace"].startswith("AWS/")}
    assert ours == {"CommunityMetrics/staging"}


def test_the_functions_of_the_second_stage_read_its_own_secrets_and_catalogue(two: TwoStages) -> None:
    functions = two.stage.client("lambda", REGION).list_functions()["Functions"]

    assert {function["FunctionName"] for function in functions} == {
        "community-metrics-staging-api",
        "community-metrics-staging-jobs",
    }
    for function in functions:
        variables = function["Environment"]["Variables"]
        secrets = {value for name, value in variables.items() if name.endswith("_SECRET")}
        assert all(secret.startswith("community-metrics-staging/") for secret in secrets)
        assert (variables["CM_DEPLOYMENT_STAGE"], variables["CM_CATALOG"]) == ("staging", CATALOG_PATH)


def test_the_published_release_has_the_catalogue_that_the_host_reads(two: TwoStages) -> None:
    facts = two.alone.facts
    body = two.stage.client("s3", REGION).get_object(Bucket=facts["bucket"], Key=facts["key"])["Body"]

    with tarfile.open(fileobj=io.BytesIO(body.read())) as release:
        found = release.extractfile(f"host/files{CATALOG_PATH}")
        assert found is not None
        assert found.read().decode() == CATALOG
    assert facts["environment"]["CM_CATALOG"] == CATALOG_PATH


def test_the_stacks_that_hold_data_are_protected_from_deletion(two: TwoStages) -> None:
    stacks = two.stage.client("cloudformation", REGION).describe_stacks()["Stacks"]

    protected = {stack["StackName"] for stack in stacks if stack.get("EnableTerminationProtection")}
    assert protected == {
        f"{prefix}-{name}"
        for prefix in ("community-metrics", "community-metrics-staging")
        for name in ("secrets", "storage")
    }
