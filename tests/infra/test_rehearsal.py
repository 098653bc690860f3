"""The deployment, played from the first deploy to the switch to Lambda and back, by the CLI people use."""

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
from tests.infra.rehearsal.readback import World, logged, look
from tests.infra.rehearsal.recorder import recording
from tests.infra.rehearsal.stage import Stage, open_stage
from tests.infra.rehearsal.terminal import typed
from tests.infra.test_alarms import refusal
from tests.support.enterprise import READ_KEY, WRITE_KEY, Enterprise, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "eu-central-1"
SSH = "203.0.113.0/24"
pytestmark = pytest.mark.timeout(540)  # the whole play is set up by whichever test comes first


@dataclass(frozen=True, slots=True)
class Play:
    """The stage after the last act, and how the world looked after each."""

    stage: Stage
    deployed: World
    printed: str
    difference: str
    replaced: World
    serverless: World
    back: World


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    with open_stage(tmp_path_factory.mktemp("stage")) as stage:
        zone = _prepare(stage)
        host = {**SMALLEST, **_in_the_zone(zone), "key_pair": "ops", "ssh_cidrs": [SSH]}
        stage.write_settings(host)
        printed = stage.deploy(REGION)
        deployed = look(stage, REGION, zone)
        difference = stage.cdk("diff", "--fail", "--method=template", region=REGION).stdout
        _change_a_host_file(stage)
        stage.deploy(REGION)
        replaced = look(stage, REGION, zone)
        stage.write_settings({**SERVERLESS, **_in_the_zone(zone)})
        stage.deploy(REGION)
        serverless = look(stage, REGION, zone)
        stage.write_settings(host)
        stage.deploy(REGION)
        yield Play(stage, deployed, printed, difference, replaced, serverless, look(stage, REGION, zone))


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
    """What a box said before it had secrets, and how a person then put them in."""

    signals: list[dict[str, str]]
    boot_log: dict[str, str]
    exit_code: int
    shown: str
    values: dict[str, str]
    read: dict[str, str]


ANSWERS = {  # in the order of the questions
    "lancedb-uri": "db://metrics",
    "lancedb-endpoint": "",
    "lancedb-read-key": READ_KEY,
    "lancedb-write-key": WRITE_KEY,
    "github-token": "a-token-of-nobody",
    "api-token-hashes": "",
}


@pytest.fixture(scope="module")
def filling(play: Play, metadata: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filling]:
    folder = tmp_path_factory.mktemp("filling")
    with recording(play.stage.port) as recorder, serving(Enterprise(folder / "cluster")) as cluster:
        environment = {**play.stage.environment(REGION), "AWS_ENDPOINT_URL": recorder.endpoint}
        of_the_box = {**environment, "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata}
        boot_from_user_data(play.back.user_data, folder, of_the_box)
        boot_log = logged(play.stage.client("logs", REGION), LogGroup.BOOT)
        answers = {**ANSWERS, "lancedb-endpoint": cluster.url}
        command = [
            str(Path(sys.executable).with_name("community-metrics")),
            "secrets",
            "put",
            "--region",
            REGION,
        ]
        code, shown = typed(command, list(answers.values()), environment)
        found = play.stage.client("secretsmanager", REGION)
        values = {
            key: found.get_secret_value(SecretId=f"community-metrics/{key}")["SecretString"]
            for key, answer in answers.items()
            if answer
        }
        yield Filling(recorder.signals, boot_log, code, shown, values, read_as_the_api_does(environment))


def boot_from_user_data(user_data: str, folder: Path, environment: dict[str, str]) -> None:
    """Run the very script that the box got, with its facts; only where it would install is ours."""
    script = folder / "first_boot.py"
    script.write_text(between(user_data, "<<'END_OF_BOOT'\n", "END_OF_BOOT\n"), encoding="utf-8")
    facts = json.loads(between(user_data, "<<'END_OF_FACTS'\n", "END_OF_FACTS\n"))
    # were it to get that far, it must not install anything on this machine
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


def test_the_box_is_the_one_that_was_asked_for(play: Play) -> None:
    box = play.deployed.box

    assert (box["InstanceType"], box["ImageId"], box["KeyName"]) == (
        "t4g.small",
        "ami-0123456789abcdef0",
        "ops",
    )
    assert box["MetadataOptions"]["HttpTokens"] == "required"
    assert box["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
    assert box["IamInstanceProfile"]["Arn"].startswith("arn:aws:iam::123456789012:instance-profile/")


def test_the_disk_is_encrypted(play: Play) -> None:
    (mapping,) = play.deployed.box["BlockDeviceMappings"]

    volumes = play.stage.client("ec2", REGION).describe_volumes()["Volumes"]
    # the first box is gone by now; what runs came from the same template
    assert mapping["Ebs"]["DeleteOnTermination"] is True
    assert {(volume["VolumeType"], volume["Size"], volume["Encrypted"]) for volume in volumes} == {
        ("gp3", 16, True)
    }


def test_the_firewall_lets_in_what_it_should(play: Play) -> None:
    (group,) = play.deployed.box["NetworkInterfaces"][0]["Groups"]

    ec2 = play.stage.client("ec2", REGION)
    (found,) = ec2.describe_security_groups(GroupIds=[group["GroupId"]])["SecurityGroups"]
    ways = {
        (rule["FromPort"], source["CidrIp"]) for rule in found["IpPermissions"] for source in rule["IpRanges"]
    }
    assert ways == {(443, "0.0.0.0/0"), (80, "0.0.0.0/0"), (22, SSH)}


def test_the_release_that_the_user_data_names_is_the_one_that_was_published(play: Play) -> None:
    facts = play.back.facts

    content = (
        play.stage.client("s3", REGION).get_object(Bucket=facts["bucket"], Key=facts["key"])["Body"].read()
    )
    assert hashlib.sha256(content).hexdigest() == facts["sha256"]


def test_the_name_points_at_the_address_of_the_box(play: Play) -> None:
    world = play.deployed

    assert world.address["InstanceId"] == world.box["InstanceId"]
    assert world.records["A"]["ResourceRecords"] == [{"Value": world.address["PublicIp"]}]
    assert "RecordToMake" not in play.printed


def test_the_secrets_are_there_and_unset(play: Play) -> None:
    client = play.stage.client("secretsmanager", REGION)

    assert len(play.deployed.secrets) == 6
    for arn in play.deployed.secrets.values():
        assert "VersionIdsToStages" not in client.describe_secret(SecretId=arn)


def test_the_alarms_are_there_can_exist_and_tell_the_mail(play: Play) -> None:
    alarms = play.deployed.alarms

    assert {
        "no-success",
        "run-failed",
        "bad-runs",
        "certificate",
        "disk",
        "cpu-credits",
        "api-down-eu-central-1",
    } <= set(alarms)
    for alarm in alarms.values():
        assert refusal(alarm) is None
        assert play.deployed.subscriptions[alarm["AlarmActions"][0]] == "ops@example.org"


def test_the_health_check_is_where_its_alarm_looks(play: Play) -> None:
    (dimension,) = play.deployed.alarms["api-down-eu-central-1"]["Dimensions"]

    checks = play.stage.client("route53", "us-east-1").list_health_checks()["HealthChecks"]
    assert dimension["Value"] in {check["Id"] for check in checks}
    assert ":us-east-1:" in play.deployed.alarms["api-down-eu-central-1"]["AlarmArn"]


def test_the_logs_are_kept_as_long_as_promised(play: Play) -> None:
    assert set(play.deployed.log_retention_days.values()) == {90}


def test_an_unchanged_tree_built_anew_changes_nothing(play: Play) -> None:
    assert "Number of stacks with differences: 0" in play.difference


def test_a_new_release_replaces_the_box_and_nothing_else(play: Play) -> None:
    old, new = play.deployed, play.replaced

    assert new.box["InstanceId"] != old.box["InstanceId"]
    assert new.facts["sha256"] != old.facts["sha256"]
    assert (new.address["PublicIp"], new.address["InstanceId"]) == (
        old.address["PublicIp"],
        new.box["InstanceId"],
    )
    assert (new.secrets, new.buckets, new.records) == (old.secrets, old.buckets, old.records)


def test_the_switch_to_lambda_moves_the_name_and_no_data(play: Play) -> None:
    world = play.serverless

    assert "execute-api" in world.records["A"]["AliasTarget"]["DNSName"]
    assert (world.secrets, world.buckets) == (play.replaced.secrets, play.replaced.buckets)
    assert {"api-errors", "job-error", "job-undelivered", "no-success"} <= set(world.alarms)


def test_the_functions_and_their_clock_are_there(play: Play) -> None:
    functions = play.stage.client("lambda", REGION).list_functions()["Functions"]
    schedules = play.stage.client("scheduler", REGION).list_schedules()["Schedules"]

    assert {function["FunctionName"] for function in functions} == {
        "community-metrics-api",
        "community-metrics-jobs",
    }
    assert "community-metrics-weekly-refresh" in {schedule["Name"] for schedule in schedules}
    api = next(function for function in functions if function["FunctionName"].endswith("api"))
    names = api["Environment"]["Variables"]
    assert names["CM_LANCEDB_API_KEY_SECRET"] == "community-metrics/lancedb-read-key"


def test_the_switch_back_moves_the_name_to_the_host_again(play: Play) -> None:
    world = play.back

    assert world.records["A"]["ResourceRecords"] == [{"Value": play.deployed.address["PublicIp"]}]
    assert (world.secrets, world.buckets) == (play.deployed.secrets, play.deployed.buckets)


def test_no_secret_value_is_in_what_the_cli_printed(play: Play) -> None:
    assert all("SecretString" not in printed for printed in play.stage.log)


def test_a_box_that_finds_no_secrets_fails_its_deploy_and_says_why_in_the_boot_log(filling: Filling) -> None:
    (sent,) = filling.signals
    ((stream, reason),) = filling.boot_log.items()

    assert sent["Status"] == "FAILURE"
    assert sent["StackName"] == "community-metrics-host"
    assert stream.startswith(f"{sent['UniqueId']}-")
    assert reason.startswith(
        "Secrets Manager has no value for community-metrics/lancedb-read-key, "
        "community-metrics/lancedb-write-key, community-metrics/lancedb-uri. Put them in with"
    )


def test_secrets_are_put_in_without_being_shown(filling: Filling) -> None:
    assert filling.exit_code == 0, filling.shown
    assert "stored community-metrics/lancedb-write-key" in filling.shown
    for secret in (READ_KEY, WRITE_KEY, ANSWERS["github-token"]):
        assert secret not in filling.shown
        assert secret in filling.values.values()


def test_the_runtime_reads_what_was_put_in(filling: Filling) -> None:
    assert filling.read == {"lancedb_api_key": READ_KEY}  # an entry without a value is no setting
