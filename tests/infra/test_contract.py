"""Names that the stacks and the runtime share are equal, although neither imports the other."""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING

import pytest
from aws_cdk import App
from pydantic import ValidationError
from typer.testing import CliRunner

from community_metrics.aws import backups, telemetry
from community_metrics.aws.lambda_jobs import TIME_BUDGET_MINUTES, job_of
from community_metrics.cli import main as cli
from community_metrics.config import Settings
from community_metrics.host import monitor
from community_metrics.runs.registry import DailyRefresh
from infra import names
from infra.functions import HANDLERS
from infra.host import readiness
from infra.release import catalog_files
from infra.runtime_env import plain_settings
from infra.schedule import schedules_of
from infra.secrets_stack import next_command
from infra.settings import SettingsError
from tests.infra.flavours import settings
from tests.infra.test_templates import facts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.infra.conftest import Assembly


def test_the_gauges_have_the_names_that_the_alarms_watch() -> None:
    of_the_runs = {
        telemetry.AGE_OF_LAST_SUCCESS_H,
        telemetry.FAILED_RUNS,
        telemetry.BAD_RUNS_IN_A_ROW,
        telemetry.STALE_SOURCES,
        telemetry.PUBLISHED_THROUGH_AGE_DAYS,
        telemetry.HOURS_UNTIL_LOSS,
        backups.BACKUP_AGE_H,
        backups.RESTORE_FAILED,
    }
    of_the_host = {
        monitor.CERTIFICATE_LIFETIME_LEFT,
        monitor.DISK_USED,
        monitor.MEMORY_USED,
        readiness.READY,
        readiness.SERVER_ERRORS,
    }

    for stage in ("", "staging"):
        assert telemetry.namespace_of(stage) == settings("smallest", stage=stage).metric_namespace
    assert of_the_runs | of_the_host == {str(gauge) for gauge in names.Gauge}


@pytest.mark.parametrize("handler", HANDLERS.values())
def test_the_handlers_exist(handler: str) -> None:
    module, _, name = handler.rpartition(".")

    assert callable(getattr(importlib.import_module(module), name))


@pytest.mark.parametrize("name", schedules_of(settings("serverless-delivery")))
def test_the_schedules_send_events_that_start_a_job(assemblies: dict[str, Assembly], name: str) -> None:
    inputs = {
        item["Properties"]["Name"]: json.loads(item["Properties"]["Target"]["Input"])
        for item in assemblies["serverless-delivery"].resources("AWS::Scheduler::Schedule")
    }

    job = schedules_of(settings("serverless-delivery"))[name][0]
    assert job_of(inputs[f"community-metrics-{name}"]).name == job


def test_an_hourly_daily_job_asks_for_what_failed_every_sixth_hour(serverless: Assembly) -> None:
    (event,) = [
        json.loads(item["Properties"]["Target"]["Input"])
        for item in serverless.resources("AWS::Scheduler::Schedule")
        if "daily" in item["Properties"]["Name"]
    ]

    assert job_of(event) == DailyRefresh(ask_again_after_hours=5, time_budget_minutes=TIME_BUDGET_MINUTES)


def test_the_cli_accepts_the_command_that_sets_the_secrets() -> None:
    chosen = settings("delivery-off", lancedb_region="us-west-2", stage="staging")
    command = next_command(chosen).split()

    assert command[-5:] == ["--stage", "staging", "--delivery", "--lancedb-region", "us-west-2"]
    assert CliRunner().invoke(cli.app, [*command[1:], "--help"]).exit_code == 0


@pytest.mark.parametrize("stage", ["", "s", "staging", "prod2", "s" * 12, "s" * 13, "Prod", "a-b", "2", "é"])
def test_a_deployment_accepts_the_same_stages_as_the_runtime(stage: str) -> None:
    def accepts(check: Callable[[], object], error: type[Exception]) -> bool:
        try:
            check()
        except error:
            return False
        return True

    by_deployment = accepts(lambda: settings("smallest", stage=stage), SettingsError)
    given = {"deployment_stage": stage}
    assert accepts(lambda: Settings.model_validate(given), ValidationError) is by_deployment


def test_the_contact_is_the_setting_and_not_the_alarm_mail() -> None:
    chosen = settings("smallest", alarm_email="ops@example.org", contact="https://example.org/contact")

    assert plain_settings(App(), chosen)["CM_CONTACT"] == "https://example.org/contact"


def test_a_catalogue_is_read_where_the_release_puts_it(tmp_path: Path) -> None:
    chosen = settings("smallest", catalog=str(tmp_path / "my-catalog.toml"))
    (name,) = catalog_files(chosen.catalog)

    assert plain_settings(App(), chosen)["CM_CATALOG"] == name.removeprefix("host/files")
    assert "CM_CATALOG" not in plain_settings(App(), settings("smallest"))


def test_every_secret_is_a_setting() -> None:
    assert {entry.variable for entry in names.SECRETS} <= {
        f"CM_{name.upper()}" for name in Settings.model_fields
    }


@pytest.mark.parametrize("flavour", ["smallest", "fullest"])
def test_the_runtime_accepts_the_environment_of_the_host(
    assemblies: dict[str, Assembly], flavour: str
) -> None:
    environment: dict[str, str] = facts(assemblies[flavour])["environment"]
    given = {name.removeprefix("CM_").lower(): value for name, value in environment.items()}

    assert set(given) <= set(Settings.model_fields)
    if flavour == "fullest":
        assert Settings.model_validate(given).is_s3


def test_public_reading_beside_tokens_reaches_the_runtime() -> None:
    environment = plain_settings(App(), settings("smallest", public_read=True))

    assert Settings.model_validate({"public_read": environment["CM_PUBLIC_READ"]}).is_public
    assert "CM_PUBLIC_READ" not in plain_settings(App(), settings("smallest"))


def test_the_interval_between_looks_reaches_the_runtime() -> None:
    chosen = settings("smallest", api_check_interval_s=30)
    environment = plain_settings(App(), chosen)

    assert Settings.model_fields["api_check_interval_s"].default == 2
    assert environment["CM_API_CHECK_INTERVAL_S"] == "30"
    assert "CM_API_CHECK_INTERVAL_S" not in plain_settings(App(), settings("smallest"))
