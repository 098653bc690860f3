"""What `[delivery]` in deployment.toml adds to a deployment, and that nothing changes without it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from infra.names import Reader
from infra.release import HOST_FILES
from infra.runtime_env import secret_ids
from infra.settings import SettingsError
from tests.infra.flavours import settings
from tests.infra.resolve import resolve
from tests.infra.test_network import instance_id
from tests.infra.test_templates import facts

if TYPE_CHECKING:
    from tests.infra.conftest import Assembly

UNITS = "etc/systemd/system"
DELIVER = f"{UNITS}/community-metrics-deliver.service.d"


def schedules(assembly: Assembly) -> dict[str, Any]:
    found = (item["Properties"] for item in assembly.resources("AWS::Scheduler::Schedule"))
    return {item["Name"]: item for item in found}


def egress_ports(assembly: Assembly, stack: str) -> set[int]:
    found: set[int] = set()
    for group in assembly.properties_of("AWS::EC2::SecurityGroup", stack):
        found |= {rule["FromPort"] for rule in group.get("SecurityGroupEgress", [])}
    return found


def secret_names(assembly: Assembly) -> set[str]:
    return {item["Name"] for item in assembly.properties_of("AWS::SecretsManager::Secret")}


def test_the_schedule_of_deliveries_exists_only_with_them(assemblies: dict[str, Assembly]) -> None:
    name = "community-metrics-deliver"
    found = schedules(assemblies["serverless-delivery"])[name]

    assert (found["ScheduleExpression"], found["ScheduleExpressionTimezone"]) == (
        "cron(10 7-23 * * ? *)",
        "UTC",
    )
    assert json.loads(found["Target"]["Input"]) == {"job": "deliver"}
    assert found["Target"]["RetryPolicy"]["MaximumRetryAttempts"] == 2
    assert resolve(found["Target"]["DeadLetterConfig"]["Arn"]) == "<SchedulesDeadLetters.Arn>"
    assert name not in schedules(assemblies["serverless"])


@pytest.mark.parametrize(
    ("flavour", "exists"), [("host-delivery", True), ("delivery-off", True), ("smallest", False)]
)
def test_the_secret_exists_while_the_file_has_the_table(
    assemblies: dict[str, Assembly], flavour: str, *, exists: bool
) -> None:
    assert ("community-metrics/delivery" in secret_names(assemblies[flavour])) is exists


def test_the_function_of_the_jobs_gets_the_id_of_the_secret_and_that_of_the_api_does_not(
    assemblies: dict[str, Assembly],
) -> None:
    functions = assemblies["serverless-delivery"].properties_of("AWS::Lambda::Function")
    ids = {
        function["FunctionName"]: function["Environment"]["Variables"].get("CM_DELIVERY_SECRET")
        for function in functions
    }

    assert ids == {
        "community-metrics-api": None,
        "community-metrics-jobs": "community-metrics/delivery",
    }


def test_on_the_host_only_the_deliveries_get_the_secret(assemblies: dict[str, Assembly]) -> None:
    readers = facts(assemblies["host-delivery"])["secrets"]

    assert readers == {
        "api": {"CM_API_TOKEN_HASHES_SECRET": "community-metrics/api-token-hashes"},
        "jobs": {"CM_GITHUB_TOKEN_SECRET": "community-metrics/github-token"},
        "deliver": {"CM_DELIVERY_SECRET": "community-metrics/delivery"},
    }


def test_deliveries_write_the_cluster_with_the_key_of_the_jobs() -> None:

    chosen = settings("smallest", delivery={"enabled": True})

    assert secret_ids(chosen, Reader.DELIVER) == {
        "CM_LANCEDB_API_KEY_SECRET": "community-metrics/lancedb-write-key",
        "CM_LANCEDB_URI_SECRET": "community-metrics/lancedb-uri",
        "CM_LANCEDB_HOST_OVERRIDE_SECRET": "community-metrics/lancedb-endpoint",
        "CM_DELIVERY_SECRET": "community-metrics/delivery",
    }


@pytest.mark.parametrize("flavour", ["smallest", "fullest", "delivery-off"])
def test_without_deliveries_the_facts_of_the_host_do_not_name_them(
    assemblies: dict[str, Assembly], flavour: str
) -> None:
    found = facts(assemblies[flavour])

    assert "delivery" not in found
    assert set(found["secrets"]) == {"api", "jobs"}


@pytest.mark.parametrize("identity", [None, "example.org"])
def test_the_facts_say_whether_the_host_sends_by_ses(
    assemblies: dict[str, Assembly], identity: str | None
) -> None:
    chosen = settings("smallest", delivery={"enabled": True, "ses_identity": identity})

    assert (chosen.mail_identity is not None) is (identity is not None)
    assert facts(assemblies["host-delivery"])["delivery"] == {"ses": True}


def test_turning_deliveries_on_makes_another_host(assemblies: dict[str, Assembly]) -> None:
    before, after = (instance_id(assemblies[flavour]) for flavour in ("fullest", "host-delivery"))

    assert before != after


def test_the_firewall_lets_mail_out_only_to_the_port_of_the_file(assemblies: dict[str, Assembly]) -> None:
    assert egress_ports(assemblies["host-delivery"], "host") == {80, 443, 465}
    assert egress_ports(assemblies["fullest"], "host") == {80, 443}
    assert egress_ports(assemblies["delivery-off"], "host") == {80, 443}
    assert egress_ports(assemblies["serverless-delivery"], "serverless") == egress_ports(
        assemblies["serverless-privatelink"], "serverless"
    )


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (True, r"delivery is True; it is a table: write the line \[delivery\] at the end of the file"),
        ({}, "delivery.enabled is not set"),
        ({"enabled": "yes"}, "delivery.enabled: Input should be a valid boolean"),
        ({"enabled": True, "ses_identity": "*@example.org"}, "delivery.ses_identity is '\\*@example.org'"),
        ({"enabled": True, "ses_identity": "Example.org"}, "expected a value such as metrics@example.org or"),
        ({"enabled": True, "ses_identity": "a/b@example.org"}, "delivery.ses_identity is 'a/b@example.org'"),
        ({"enabled": True, "smtp_port": 25}, "delivery.smtp_port: AWS blocks port 25; use the mail server's"),
        ({"enabled": True, "smtp_port": 0}, "delivery.smtp_port: Input should be greater than or equal to 1"),
        (
            {"enabled": True, "serverless": True},
            r"delivery.serverless is not a setting; .* must be above the line \[delivery\]",
        ),
    ],
)
def test_an_invalid_table_is_an_error_that_names_the_setting(table: object, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        settings("smallest", delivery=table)


@pytest.mark.parametrize("identity", ["metrics@example.org", "Metrics+x@mail.example.org", "example.org"])
def test_an_identity_is_an_address_or_a_domain(identity: str) -> None:
    assert (
        settings("smallest", delivery={"enabled": True, "ses_identity": identity}).mail_identity == identity
    )


@pytest.mark.parametrize(
    ("tree", "drop_in"),
    [
        ("files-delivery", f"{DELIVER}/10-sandbox.conf"),
        ("files-delivery", f"{DELIVER}/20-job.conf"),
        ("files-delivery", f"{DELIVER}/30-deliver.conf"),
        ("files-delivery", f"{UNITS}/community-metrics-job-deliver-.service.d/30-deliver.conf"),
        ("files-s3", f"{DELIVER}/30-s3.conf"),
        ("files-ses", f"{DELIVER}/40-ses.conf"),
        ("files-ses", f"{UNITS}/community-metrics-job-deliver-.service.d/40-ses.conf"),
    ],
)
def test_the_drop_ins_of_the_unit_are_the_shared_ones(tree: str, drop_in: str) -> None:
    path = HOST_FILES / tree / drop_in

    assert path.resolve() == HOST_FILES / "shared" / path.name[3:]


def test_the_timer_elapses_when_the_schedule_does() -> None:
    timer = (HOST_FILES / "files-delivery" / UNITS / "community-metrics-deliver.timer").read_text("utf-8")

    assert "OnCalendar=*-*-* 07..23:10:00 UTC\n" in timer
    assert "Persistent=true\n" in timer
