"""The CDK CLI deploys, updates, switches to Lambda and back, against moto's server."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from infra.names import LogGroup
from tests.infra.flavours import SERVERLESS, SMALLEST
from tests.infra.rehearsal.readback import World, logged, read_back
from tests.infra.rehearsal.recorder import recording
from tests.infra.rehearsal.stage import Stage, open_stage
from tests.infra.rehearsal.terminal import typed
from tests.infra.test_alarms import rejection
from tests.support.enterprise import READ_KEY, WRITE_KEY, Enterprise, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "eu-central-1"
SSH = "203.0.113.0/24"
pytestmark = pytest.mark.timeout(540)  # the first test runs every deploy


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The stage after the last deploy, and the state of AWS after each."""

    stage: Stage
    deployed: World
    printed: str
    difference: str
    replaced: World
    serverless: World
    back: World


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    with open_stage(tmp_path_factory.mktemp("stage")) as stage:
        zone = _prepare(stage)
        host = {**SMALLEST, **_in_the_zone(zone), "key_pair": "ops", "ssh_cidrs": [SSH]}
        stage.write_settings(host)
        printed = stage.deploy(REGION)
        deployed = read_back(stage, REGION, zone)
        difference = stage.cdk("diff", "--fail", "--method=template", region=REGION).stdout
        _change_a_host_file(stage)
        stage.deploy(REGION)
        replaced = read_back(stage, REGION, zone)
        stage.write_settings({**SERVERLESS, **_in_the_zone(zone)})
        stage.deploy(REGION)
        serverless = read_back(stage, REGION, zone)
        stage.write_settings(host)
        stage.deploy(REGION)
        yield Rehearsal(
            stage, deployed, printed, difference, replaced, serverless, read_back(stage, REGION, zone)
        )


def _prepare(stage: Stage) -> str:
    stage.bootstrap(REGION, "us-east-1")
    stage.client("ec2", REGION).create_key_pair(KeyName="ops")
    made = stage.client("route53", REGION).create_hosted_zone(Name="example.org", CallerReference="rehearsal")
    zone: str = made["HostedZone"]["Id"].rpartition("/")[2]
    return zone


def _in_the_zone(zone: str) -> dict[str, Any]:
    return {"region": REGION, "hosted_zone_id": zone, "hosted_zone_name": "example.org"}


def _change_a_host_file(stage: Stage) -> None:
    path = stage.tree / "infra" / "host" / "bootstrap.py"
    path.write_text(path.read_text(encoding="utf-8") + "# another release\n", encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Filling:
    """The boot of a host without secrets, and the `secrets put` that follows."""

    signals: list[dict[str, str]]
    boot_log: dict[str, str]
    exit_code: int
    shown: str
    values: dict[str, str]
    read: dict[str, str]


ANSWERS = {  # in the order of the prompts
    "lancedb-uri": "db://metrics",
    "lancedb-endpoint": "",
    "lancedb-read-key": READ_KEY,
    "lancedb-write-key": WRITE_KEY,
    "github-token": "a-fake-token",
    "api-token-hashes": "",
}


@pytest.fixture(scope="module")
def filling(
    rehearsal: Rehearsal, metadata: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Filling]:
    folder = tmp_path_factory.mktemp("filling")
    with recording(rehearsal.stage.port) as recorder, serving(Enterprise(folder / "cluster")) as cluster:
        environment = {**rehearsal.stage.environment(REGION), "AWS_ENDPOINT_URL": recorder.endpoint}
        host_environment = {**environment, "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata}
        boot_from_user_data(rehearsal.back.user_data, folder, host_environment)
        boot_log = logged(rehearsal.stage.client("logs", REGION), LogGroup.BOOT)
        answers = {**ANSWERS, "lancedb-endpoint": cluster.url}
        command = [
            str(Path(sys.executable).with_name("community-metrics")),
            "secrets",
            "put",
            "--region",
            REGION,
        ]
        code, shown = typed(command, list(answers.values()), environment)
        found = rehearsal.stage.client("secretsmanager", REGION)
        values = {
            key: found.get_secret_value(SecretId=f"community-metrics/{key}")["SecretString"]
            for key, answer in answers.items()
            if answer
        }
        yield Filling(recorder.signals, boot_log, code, shown, values, read_as_the_api_does(environment))


def boot_from_user_data(user_data: str, folder: Path, environment: dict[str, str]) -> None:
    """Run the script of the instance's user data with its facts, and a harmless place to install."""
    script = folder / "first_boot.py"
    script.write_text(between(user_data, "<<'END_OF_BOOT'\n", "END_OF_BOOT\n"), encoding="utf-8")
    facts = json.loads(between(user_data, "<<'END_OF_FACTS'\n", "END_OF_FACTS\n"))
    # if it got that far, it must not install anything on this machine
    safe = {**facts, "releases": str(folder / "releases"), "sha256": "0" * 64}
    (folder / "deployment.json").write_text(json.dumps(safe), encoding="utf-8")
    subprocess.run([sys.executable, script, folder / "deployment.json"], env=environment, check=False)


def between(text: str, start: str, end: str) -> str:
    return text.partition(start)[2].partition(end)[0]


def read_as_the_api_does(environment: dict[str, str]) -> dict[str, str]:
    program = (
        "import json; from community_metrics.aws.secrets import read_secrets; "
        "from community_metrics.config import secret_ids; print(json.dumps(read_secrets(secret_ids())))"
    )
    ids = {
        "CM_LANCEDB_API_KEY_SECRET": "community-metrics/lancedb-read-key",
        "CM_API_TOKEN_HASHES_SECRET": "community-metrics/api-token-hashes",
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**environment, **ids},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_the_instance_has_the_properties_of_the_settings(rehearsal: Rehearsal) -> None:
    box = rehearsal.deployed.box

    assert (box["InstanceType"], box["ImageId"], box["KeyName"]) == (
        "t4g.small",
        "ami-0123456789abcdef0",
        "ops",
    )
    assert box["MetadataOptions"]["HttpTokens"] == "required"
    assert box["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
    assert box["IamInstanceProfile"]["Arn"].startswith("arn:aws:iam::123456789012:instance-profile/")


def test_the_output_that_a_log_in_reads_is_the_id_of_the_instance(rehearsal: Rehearsal) -> None:
    client = rehearsal.stage.client("cloudformation", REGION)
    (stack,) = client.describe_stacks(StackName="community-metrics-host")["Stacks"]

    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    assert outputs["InstanceId"] == rehearsal.back.box["InstanceId"]


def test_the_disk_is_encrypted(rehearsal: Rehearsal) -> None:
    (mapping,) = rehearsal.deployed.box["BlockDeviceMappings"]

    volumes = rehearsal.stage.client("ec2", REGION).describe_volumes()["Volumes"]
    # the first instance is terminated; the current one is from the same template
    assert mapping["Ebs"]["DeleteOnTermination"] is True
    assert {(volume["VolumeType"], volume["Size"], volume["Encrypted"]) for volume in volumes} == {
        ("gp3", 16, True)
    }


def test_the_firewall_allows_http_https_and_ssh(rehearsal: Rehearsal) -> None:
    (group,) = rehearsal.deployed.box["NetworkInterfaces"][0]["Groups"]

    ec2 = rehearsal.stage.client("ec2", REGION)
    (found,) = ec2.describe_security_groups(GroupIds=[group["GroupId"]])["SecurityGroups"]
    allowed = {
        (rule["FromPort"], source["CidrIp"]) for rule in found["IpPermissions"] for source in rule["IpRanges"]
    }
    assert allowed == {(443, "0.0.0.0/0"), (80, "0.0.0.0/0"), (22, SSH)}


def test_the_published_release_has_the_digest_in_the_user_data(rehearsal: Rehearsal) -> None:
    facts = rehearsal.back.facts

    content = (
        rehearsal.stage.client("s3", REGION)
        .get_object(Bucket=facts["bucket"], Key=facts["key"])["Body"]
        .read()
    )
    assert hashlib.sha256(content).hexdigest() == facts["sha256"]


def test_the_dns_record_points_at_the_elastic_ip_of_the_instance(rehearsal: Rehearsal) -> None:
    world = rehearsal.deployed

    assert world.address["InstanceId"] == world.box["InstanceId"]
    assert world.records["A"]["ResourceRecords"] == [{"Value": world.address["PublicIp"]}]
    assert "RecordToCreate" not in rehearsal.printed


def test_the_secrets_exist_without_a_value(rehearsal: Rehearsal) -> None:
    client = rehearsal.stage.client("secretsmanager", REGION)

    assert len(rehearsal.deployed.secrets) == 6
    for arn in rehearsal.deployed.secrets.values():
        assert "VersionIdsToStages" not in client.describe_secret(SecretId=arn)


def test_the_alarms_exist_are_valid_and_notify_the_mail_address(rehearsal: Rehearsal) -> None:
    alarms = rehearsal.deployed.alarms

    assert {
        "no-success",
        "stale-sources",
        "registry-stalled",
        "loss-ahead",
        "run-failed",
        "bad-runs",
        "certificate",
        "disk",
        "cpu-credits",
        "api-down-eu-central-1",
    } <= set(alarms)
    for alarm in alarms.values():
        assert rejection(alarm) is None
        assert rehearsal.deployed.subscriptions[alarm["AlarmActions"][0]] == "ops@example.org"


def test_the_health_check_is_in_the_region_of_its_alarm(rehearsal: Rehearsal) -> None:
    (dimension,) = rehearsal.deployed.alarms["api-down-eu-central-1"]["Dimensions"]

    checks = rehearsal.stage.client("route53", "us-east-1").list_health_checks()["HealthChecks"]
    assert dimension["Value"] in {check["Id"] for check in checks}
    assert ":us-east-1:" in rehearsal.deployed.alarms["api-down-eu-central-1"]["AlarmArn"]


def test_logs_are_kept_for_90_days(rehearsal: Rehearsal) -> None:
    assert set(rehearsal.deployed.log_retention_days.values()) == {90}


def test_an_unchanged_tree_has_an_empty_diff(rehearsal: Rehearsal) -> None:
    assert "Number of stacks with differences: 0" in rehearsal.difference


def test_a_new_release_replaces_only_the_instance(rehearsal: Rehearsal) -> None:
    old, new = rehearsal.deployed, rehearsal.replaced

    assert new.box["InstanceId"] != old.box["InstanceId"]
    assert new.facts["sha256"] != old.facts["sha256"]
    assert (new.address["PublicIp"], new.address["InstanceId"]) == (
        old.address["PublicIp"],
        new.box["InstanceId"],
    )
    assert (new.secrets, new.buckets, new.records) == (old.secrets, old.buckets, old.records)


def test_the_switch_to_lambda_moves_the_dns_record_and_no_data(rehearsal: Rehearsal) -> None:
    world = rehearsal.serverless

    assert "execute-api" in world.records["A"]["AliasTarget"]["DNSName"]
    assert (world.secrets, world.buckets) == (rehearsal.replaced.secrets, rehearsal.replaced.buckets)
    assert {"api-errors", "job-error", "dead-letters", "no-success"} <= set(world.alarms)


def test_the_functions_and_their_schedules_exist(rehearsal: Rehearsal) -> None:
    functions = rehearsal.stage.client("lambda", REGION).list_functions()["Functions"]
    schedules = rehearsal.stage.client("scheduler", REGION).list_schedules()["Schedules"]

    assert {function["FunctionName"] for function in functions} == {
        "community-metrics-api",
        "community-metrics-jobs",
    }
    assert "community-metrics-weekly-refresh" in {schedule["Name"] for schedule in schedules}
    api = next(function for function in functions if function["FunctionName"].endswith("api"))
    names = api["Environment"]["Variables"]
    assert names["CM_LANCEDB_API_KEY_SECRET"] == "community-metrics/lancedb-read-key"


def test_the_switch_back_moves_the_dns_record_to_the_host(rehearsal: Rehearsal) -> None:
    world = rehearsal.back

    assert world.records["A"]["ResourceRecords"] == [{"Value": rehearsal.deployed.address["PublicIp"]}]
    assert (world.secrets, world.buckets) == (rehearsal.deployed.secrets, rehearsal.deployed.buckets)


def test_the_output_of_the_cli_has_no_secret_value(rehearsal: Rehearsal) -> None:
    assert all("SecretString" not in printed for printed in rehearsal.stage.log)


def test_without_secrets_the_boot_fails_and_the_boot_log_has_the_reason(filling: Filling) -> None:
    (sent,) = filling.signals
    ((stream, reason),) = filling.boot_log.items()

    assert sent["Status"] == "FAILURE"
    assert sent["StackName"] == "community-metrics-host"
    assert stream.startswith(f"{sent['UniqueId']}-")
    assert reason.startswith(
        "Secrets Manager has no value for community-metrics/lancedb-read-key, "
        "community-metrics/lancedb-write-key, community-metrics/lancedb-uri. Fix: run"
    )


def test_secrets_put_stores_and_hides_the_secrets(filling: Filling) -> None:
    assert filling.exit_code == 0, filling.shown
    assert "stored community-metrics/lancedb-write-key" in filling.shown
    for secret in (READ_KEY, WRITE_KEY, ANSWERS["github-token"]):
        assert secret not in filling.shown
        assert secret in filling.values.values()


def test_the_runtime_reads_the_stored_secrets(filling: Filling) -> None:
    assert filling.read == {"lancedb_api_key": READ_KEY}  # a secret without a value is not a setting
