"""The important properties of the templates; the snapshots have the rest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from infra.names import SECRETS
from tests.infra.resolve import resolve

if TYPE_CHECKING:
    from tests.infra.conftest import Assembly


def rules(assembly: Assembly, direction: str) -> set[tuple[str, int, int]]:
    firewall = assembly.properties("AWS::EC2::SecurityGroup")
    return {
        (rule.get("CidrIp") or rule["CidrIpv6"], rule["FromPort"], rule["ToPort"])
        for rule in firewall[f"SecurityGroup{direction}"]
    }


def test_without_ssh_ranges_only_http_and_https_can_come_in(smallest: Assembly) -> None:
    assert rules(smallest, "Ingress") == {("0.0.0.0/0", 443, 443), ("0.0.0.0/0", 80, 80)}


def test_ssh_can_come_in_from_the_configured_ranges_only(fullest: Assembly) -> None:
    ssh = {address for address, port, _ in rules(fullest, "Ingress") if port == 22}

    assert ssh == {"203.0.113.0/24", "2001:db8::/48"}
    assert {port for _, port, _ in rules(fullest, "Ingress")} == {22, 80, 443}


@pytest.mark.parametrize(
    ("name", "ports"),
    [
        ("smallest", {443, 80}),
        ("cluster-port", {443, 80, 8443}),  # an enterprise cluster at another port
        ("fullest", {443, 80}),  # lancedb_port is for an enterprise cluster, and this is a bucket
    ],
)
def test_only_http_https_and_the_port_of_the_cluster_can_go_out(
    assemblies: dict[str, Assembly], name: str, ports: set[int]
) -> None:
    addresses = {"0.0.0.0/0"} if name == "smallest" else {"0.0.0.0/0", "::/0"}

    assert rules(assemblies[name], "Egress") == {
        (address, port, port) for address in addresses for port in ports
    }


def test_there_is_no_other_rule_no_nat_and_one_subnet(assemblies: dict[str, Assembly]) -> None:
    for name in ("smallest", "fullest"):
        types = [found["Type"] for found in assemblies[name].stacks["host"]["Resources"].values()]

        assert types.count("AWS::EC2::Subnet") == 1
        assert not {"AWS::EC2::NatGateway", "AWS::EC2::SecurityGroupIngress"} & set(types)


def test_the_instance_has_the_expected_properties(smallest: Assembly) -> None:
    (instance,) = smallest.resources("AWS::EC2::Instance")
    properties = instance["Properties"]

    assert properties["MetadataOptions"] == {"HttpTokens": "required", "HttpPutResponseHopLimit": 1}
    assert properties["BlockDeviceMappings"][0]["Ebs"] == {
        "DeleteOnTermination": True,
        "Encrypted": True,
        "VolumeSize": 16,
        "VolumeType": "gp3",
    }
    assert (properties["InstanceType"], properties["ImageId"]) == ("t4g.small", "ami-0123456789abcdef0")
    assert (properties["DisableApiTermination"], properties["InstanceInitiatedShutdownBehavior"]) == (
        False,
        "stop",
    )
    assert "KeyName" not in properties


def test_the_instance_can_reach_the_internet_before_it_has_the_elastic_ip(smallest: Assembly) -> None:
    (instance,) = smallest.resources("AWS::EC2::Instance")

    assert instance["Properties"]["NetworkInterfaces"][0]["AssociatePublicIpAddress"] is True
    assert instance["CreationPolicy"] == {"ResourceSignal": {"Timeout": "PT20M"}}


def test_the_instance_depends_on_its_permissions(smallest: Assembly) -> None:
    (instance,) = smallest.resources("AWS::EC2::Instance")

    assert any(name.startswith("Role") for name in instance["DependsOn"])


def test_the_elastic_ip_is_independent_of_the_instance(smallest: Assembly) -> None:
    association = resolve(smallest.properties("AWS::EC2::EIPAssociation"))

    assert association == {"AllocationId": "<Address.AllocationId>", "InstanceId": "<Host>"}
    assert "InstanceId" not in smallest.properties("AWS::EC2::EIP")


def facts(assembly: Assembly) -> dict[str, Any]:
    script = resolve(assembly.properties("AWS::EC2::Instance")["UserData"]["Fn::Base64"])
    text = script.split("<<'END_OF_FACTS'\n")[1].split("\nEND_OF_FACTS")[0]
    found: dict[str, Any] = json.loads(text)
    return found


def test_the_user_data_signals_the_instance_that_waits_for_it(fullest: Assembly) -> None:
    host = fullest.stacks["host"]["Resources"]

    assert host[facts(fullest)["resource"]]["Type"] == "AWS::EC2::Instance"
    assert facts(fullest)["stack"] == "community-metrics-host"


def test_the_user_data_begins_with_a_shebang(smallest: Assembly) -> None:
    script = resolve(smallest.properties("AWS::EC2::Instance")["UserData"]["Fn::Base64"])

    assert script.startswith("#!/bin/bash\n#")  # with a line break before it, cloud-init would not run it


def test_the_user_data_is_within_the_limit_of_ec2(assemblies: dict[str, Assembly]) -> None:
    for name in ("smallest", "fullest"):
        script = resolve(assemblies[name].properties("AWS::EC2::Instance")["UserData"]["Fn::Base64"])

        assert len(script.encode()) < 16 * 1024  # EC2's limit


def test_only_a_cluster_requires_the_secrets_of_lancedb(assemblies: dict[str, Assembly]) -> None:
    needed = [f"community-metrics/lancedb-{key}" for key in ("read-key", "write-key", "uri")]

    assert facts(assemblies["smallest"])["required_secrets"] == needed
    assert facts(assemblies["fullest"])["required_secrets"] == []


def test_each_reader_gets_its_own_key_only(smallest: Assembly) -> None:
    readers = facts(smallest)["secrets"]

    assert readers["api"]["CM_LANCEDB_API_KEY_SECRET"] == "community-metrics/lancedb-read-key"
    assert readers["jobs"]["CM_LANCEDB_API_KEY_SECRET"] == "community-metrics/lancedb-write-key"
    assert "CM_GITHUB_TOKEN_SECRET" not in readers["api"]


@pytest.mark.parametrize("name", ["smallest", "serverless"])
def test_the_secrets_have_no_value_and_are_retained(assemblies: dict[str, Assembly], name: str) -> None:
    entries = assemblies[name].resources("AWS::SecretsManager::Secret", "secrets")

    assert {entry["Properties"]["Name"] for entry in entries} == {
        entry.name for entry in SECRETS if not entry.is_of_deliveries
    }
    for entry in entries:
        assert not {"SecretString", "GenerateSecretString"} & set(entry["Properties"])
        assert entry["DeletionPolicy"] == "RetainExceptOnCreate"
        assert entry["UpdateReplacePolicy"] == "Retain"


def test_a_deployment_with_a_bucket_has_no_secrets_of_lancedb(fullest: Assembly) -> None:
    names = {entry["Properties"]["Name"] for entry in fullest.resources("AWS::SecretsManager::Secret")}

    assert names == {"community-metrics/github-token", "community-metrics/api-token-hashes"}


def test_the_buckets_are_private_encrypted_versioned_and_retained(fullest: Assembly) -> None:
    buckets = fullest.resources("AWS::S3::Bucket")

    names = {resolve(bucket["Properties"]["BucketName"]) for bucket in buckets}
    assert names == {
        f"community-metrics-{purpose}-123456789012-eu-central-1" for purpose in ("tls", "data", "bkup")
    }
    for bucket in buckets:
        assert all(bucket["Properties"]["PublicAccessBlockConfiguration"].values())
        assert bucket["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}
        assert "AES256" in json.dumps(bucket["Properties"]["BucketEncryption"])
        assert bucket["DeletionPolicy"] == "RetainExceptOnCreate"


def test_old_versions_expire_and_so_does_the_delete_marker_that_is_left(fullest: Assembly) -> None:
    buckets = fullest.properties_of("AWS::S3::Bucket")

    for bucket in (one for one in buckets if "-bkup-" not in resolve(one["BucketName"])):
        (rule,) = bucket["LifecycleConfiguration"]["Rules"]

        assert rule["Status"] == "Enabled"
        assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
        assert rule["ExpiredObjectDeleteMarker"] is True
        # S3 rejects the marker's expiration beside one of the objects
        assert not {"ExpirationInDays", "ExpirationDate"} & set(rule)


def test_no_rule_expires_an_image_that_a_function_can_use(assembly: Assembly) -> None:
    repository = assembly.properties("AWS::ECR::Repository")
    rules = json.loads(repository["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]

    # a pushed image has a tag, which is immutable, so it never becomes untagged
    assert repository["ImageTagMutability"] == "IMMUTABLE"
    assert [rule["selection"]["tagStatus"] for rule in rules] == ["untagged"]


def test_logs_are_kept_for_three_months(assembly: Assembly) -> None:
    groups = assembly.resources("AWS::Logs::LogGroup")

    assert len(groups) == 7
    assert {group["Properties"]["RetentionInDays"] for group in groups} == {90}


def test_the_dns_records_point_at_the_addresses(fullest: Assembly) -> None:
    records = {
        record["Properties"]["Type"]: record["Properties"]
        for record in fullest.resources("AWS::Route53::RecordSet")
    }

    assert set(records) == {"A", "AAAA"}
    assert records["A"]["Name"] == "metrics-api.example.org."
    assert "ExportsOutputRefAddress" in json.dumps(records["A"]["ResourceRecords"])


def test_without_a_zone_an_output_has_the_record_to_create(smallest: Assembly) -> None:
    assert "dns" not in smallest.stacks
    output = resolve(smallest.stacks["host"]["Outputs"]["RecordToCreate"]["Value"])
    assert output == "metrics-api.example.org A <Address>"


def test_with_ipv6_an_output_has_the_aaaa_record_to_create(assemblies: dict[str, Assembly]) -> None:
    outputs = assemblies["no-zone"].stacks["host"]["Outputs"]

    assert outputs["RecordToCreate"]["Value"]
    assert (
        resolve(outputs["Ipv6RecordToCreate"]["Value"]["Fn::Join"][1][0]) == "metrics-api.example.org AAAA "
    )
    assert not {"RecordToCreate", "Ipv6RecordToCreate"} & set(assemblies["fullest"].stacks["host"]["Outputs"])


def ipv6_address(assembly: Assembly) -> str:
    interface = assembly.properties("AWS::EC2::Instance")["NetworkInterfaces"][0]
    return json.dumps(interface["Ipv6Addresses"])


def test_an_instance_with_other_user_data_has_another_ipv6_address(assemblies: dict[str, Assembly]) -> None:
    one, other = assemblies["fullest"], assemblies["other-mail"]

    def generation(assembly: Assembly) -> str:
        found: str = facts(assembly)["resource"]
        return found

    assert generation(one) != generation(other)  # both exist during a replacement
    assert ipv6_address(one) != ipv6_address(other)


def test_the_exports_of_the_dns_stack_stay_when_the_zone_is_removed(assemblies: dict[str, Assembly]) -> None:
    def exports(assembly: Assembly) -> dict[str, Any]:
        outputs = assembly.stacks["host"]["Outputs"]
        return {name: value for name, value in outputs.items() if "Export" in value}

    assert exports(assemblies["no-zone"]) == exports(assemblies["fullest"])
    assert len(exports(assemblies["fullest"])) == 2


def test_two_deployments_of_an_account_share_no_name_in_us_east_1(assemblies: dict[str, Assembly]) -> None:
    def names(assembly: Assembly) -> set[str]:
        manifest = json.loads((assembly.path / "manifest.json").read_text(encoding="utf-8"))
        (stack,) = [
            item["properties"]["stackName"]
            for name, item in manifest["artifacts"].items()
            if name == "community-metrics-health"
        ]
        alarms = assembly.resources("AWS::CloudWatch::Alarm", "health")
        topics = [found["Properties"]["TopicName"] for found in assembly.resources("AWS::SNS::Topic")]
        return {stack, *topics, *(alarm["Properties"]["AlarmName"] for alarm in alarms)}

    other_region, same_region = names(assemblies["fullest"]), names(assemblies["smallest"])
    # the main topic is in the deployment's region, which has one deployment
    assert other_region & same_region == {"community-metrics-alarms"}
    assert {name for name in other_region if name.endswith("-eu-central-1")} == {
        "community-metrics-health-eu-central-1",
        "community-metrics-alarms-eu-central-1",
        "community-metrics-api-down-eu-central-1",
    }


def test_the_health_check_requests_the_health_route_of_the_api(assembly: Assembly) -> None:
    check = assembly.properties("AWS::Route53::HealthCheck", "health")["HealthCheckConfig"]

    assert check == {
        "Type": "HTTPS_STR_MATCH",
        "FullyQualifiedDomainName": "metrics-api.example.org",
        "Port": 443,
        "ResourcePath": "/api/v1/health",
        "SearchString": '"status":"ok"',
        "RequestInterval": 30,
        "FailureThreshold": 3,
        "EnableSNI": True,
    }


def test_the_health_check_its_alarm_and_its_topic_are_in_one_region(assemblies: dict[str, Assembly]) -> None:
    other_region, same_region = assemblies["fullest"], assemblies["smallest"]

    for assembly in (other_region, same_region):
        (action,) = resolve(assembly.properties("AWS::CloudWatch::Alarm", "health")["AlarmActions"])
        assert action in {"<AlarmsTopic>", "arn:aws:sns:us-east-1:123456789012:community-metrics-alarms"}
    assert len(other_region.resources("AWS::SNS::Topic", "health")) == 1
    assert not same_region.resources("AWS::SNS::Topic", "health")


@pytest.mark.parametrize(
    ("flavour", "stacks"),
    [("smallest", {"monitoring"}), ("fullest", {"monitoring", "health"}), ("serverless", {"monitoring"})],
)
def test_every_topic_mails_its_alarms_to_the_address_in_the_settings(
    assemblies: dict[str, Assembly], flavour: str, stacks: set[str]
) -> None:
    mail = {"Endpoint": "ops@example.org", "Protocol": "email", "TopicArn": "<AlarmsTopic>"}

    for name in assemblies[flavour].stacks:
        found = assemblies[flavour].properties_of("AWS::SNS::Subscription", name)
        assert [resolve(one) for one in found] == ([mail] if name in stacks else []), name


def test_the_alarms_can_publish_to_the_topic_of_the_mail(assembly: Assembly) -> None:
    policies = assembly.properties_of("AWS::SNS::TopicPolicy")

    assert len(policies) == len(assembly.resources("AWS::SNS::Topic")) > 0
    for policy in policies:
        found = {item["Sid"]: item for item in policy["PolicyDocument"]["Statement"]}
        assert found["AlarmsMayPublish"]["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        assert found["AlarmsMayPublish"]["Action"] == "sns:Publish"


def test_a_deployment_has_either_a_host_or_functions(assemblies: dict[str, Assembly]) -> None:
    assert set(assemblies["serverless"].stacks) == {
        "secrets", "storage", "monitoring", "serverless", "dns", "health"
    }  # fmt: skip
    assert "serverless" not in assemblies["fullest"].stacks


def test_the_functions_run_the_image_digest_on_arm64(serverless: Assembly) -> None:
    functions = [found["Properties"] for found in serverless.resources("AWS::Lambda::Function")]

    assert {function["Architectures"][0] for function in functions} == {"arm64"}
    assert {resolve(function["Code"]["ImageUri"]).partition("@")[2] for function in functions} == {
        "sha256:" + "ab" * 32
    }
    assert {function["ImageConfig"]["Command"][0] for function in functions} == {
        "community_metrics.aws.lambda_api.handler",
        "community_metrics.aws.lambda_jobs.handler",
    }


def test_the_refresh_is_retried_and_then_goes_to_the_dead_letter_queue(serverless: Assembly) -> None:
    schedules = {
        item["Properties"]["Name"]: item["Properties"]
        for item in serverless.resources("AWS::Scheduler::Schedule")
    }
    weekly = schedules["community-metrics-weekly-refresh"]

    assert (weekly["ScheduleExpression"], weekly["ScheduleExpressionTimezone"]) == (
        "cron(0 6 ? * MON *)",
        "UTC",
    )
    daily = schedules["community-metrics-daily-refresh"]
    assert daily["ScheduleExpression"] == "cron(45 2-23 * * ? *)"
    assert daily["Target"]["Input"] == '{"job": "daily_refresh", "ask_again_after_hours": 5}'
    assert weekly["Target"]["RetryPolicy"]["MaximumRetryAttempts"] == 2
    assert resolve(weekly["Target"]["DeadLetterConfig"]["Arn"]) == "<SchedulesDeadLetters.Arn>"


def test_the_http_api_is_throttled_and_has_one_domain_name(serverless: Assembly) -> None:
    stage = serverless.properties("AWS::ApiGatewayV2::Stage")

    assert stage["DefaultRouteSettings"] == {"ThrottlingBurstLimit": 100, "ThrottlingRateLimit": 50}
    assert serverless.properties("AWS::ApiGatewayV2::Api")["DisableExecuteApiEndpoint"] is True
    assert serverless.properties("AWS::ApiGatewayV2::DomainName")["DomainName"] == "metrics-api.example.org"
