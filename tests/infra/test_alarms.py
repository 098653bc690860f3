"""CloudWatch rejects an alarm with a too long evaluation period, but only at deploy time; tested here."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from infra.names import Gauge
from tests.infra.flavours import settings
from tests.infra.node import ROOT
from tests.infra.resolve import resolve

if TYPE_CHECKING:
    from tests.infra.conftest import Assembly

HOUR_S = 3600
DAY_S = 24 * HOUR_S
BREACHING, NOT_BREACHING, IGNORE = "breaching", "notBreaching", "ignore"
# what an alarm watches, its statistic over a period in seconds, when it rises, and after how many periods
JOBS = {
    "no-success": ("AgeOfLastSuccessHours", "Maximum", HOUR_S, ">= 192", 3, BREACHING),
    "run-failed": ("FailedRuns", "Sum", HOUR_S, ">= 1", 1, NOT_BREACHING),
    "bad-runs": ("BadRunsInARow", "Maximum", HOUR_S, ">= 2", 1, NOT_BREACHING),
    "stale-sources": ("StaleSources", "Maximum", HOUR_S, ">= 1", 3, NOT_BREACHING),
    "registry-stalled": ("PublishedThroughAgeDays", "Maximum", HOUR_S, ">= 14", 3, NOT_BREACHING),
    "loss-ahead": ("HoursUntilLoss", "Minimum", HOUR_S, "< 48", 1, NOT_BREACHING),
    "backup-age": ("BackupAgeHours", "Maximum", HOUR_S, ">= 192", 3, BREACHING),
    "restore-failed": ("RestoreFailed", "Maximum", HOUR_S, ">= 1", 1, IGNORE),
    "api-down-us-east-1": ("HealthCheckStatus", "Minimum", 60, "< 1", 3, BREACHING),
}
EXPECTED = {
    "smallest": JOBS
    | {
        "certificate": ("CertificateLifetimeLeftPercent", "Minimum", HOUR_S, "< 25", 3, NOT_BREACHING),
        "disk": ("DiskUsedPercent", "Maximum", HOUR_S, ">= 85", 2, NOT_BREACHING),
        "memory": ("MemoryUsedPercent", "Maximum", HOUR_S, ">= 90", 2, NOT_BREACHING),
        "not-ready": ("Ready", "Minimum", 300, "< 1", 2, BREACHING),
        "server-errors": ("ServerErrors", "Sum", 300, ">= 5", 1, NOT_BREACHING),
        "cpu-credits": ("CPUSurplusCreditBalance", "Maximum", 300, ">= 144", 3, NOT_BREACHING),
        "status-check": ("StatusCheckFailed", "Maximum", 60, ">= 1", 5, BREACHING),
    },
    "serverless": JOBS
    | {
        "api-errors": ("5xx", "Sum", 300, ">= 5", 1, NOT_BREACHING),
        "job-error": ("Errors", "Sum", HOUR_S, ">= 1", 1, NOT_BREACHING),
        "dead-letters": ("ApproximateNumberOfMessagesVisible", "Maximum", 300, ">= 1", 1, NOT_BREACHING),
    },
}
# the functions have no disk, no memory and no certificate to report
ON_LAMBDA = {
    Gauge.AGE_OF_LAST_SUCCESS_H,
    Gauge.FAILED_RUNS,
    Gauge.BAD_RUNS_IN_A_ROW,
    Gauge.STALE_SOURCES,
    Gauge.PUBLISHED_THROUGH_AGE_DAYS,
    Gauge.HOURS_UNTIL_LOSS,
    Gauge.BACKUP_AGE_H,
    Gauge.RESTORE_FAILED,
}
SIGNS = {"GreaterThanOrEqualToThreshold": ">=", "LessThanThreshold": "<"}


def rejection(alarm: dict[str, Any]) -> str | None:
    """Return why PutMetricAlarm rejects this alarm according to its reference page, or None."""
    period, count = alarm["Period"], alarm["EvaluationPeriods"]
    if period not in {10, 20, 30} and (period < 60 or period % 60):
        return f"the period is {period} s"
    if count < 1 or alarm.get("DatapointsToAlarm", count) > count:
        return f"{count} periods"
    limit = 7 * DAY_S if period >= HOUR_S else DAY_S
    return f"it evaluates {period * count} s, the limit is {limit} s" if period * count > limit else None


def test_every_alarm_is_within_the_limits_of_cloudwatch(assembly: Assembly) -> None:
    alarms = assembly.properties_of("AWS::CloudWatch::Alarm")

    assert alarms
    assert {alarm["AlarmName"]: rejection(alarm) for alarm in alarms} == {
        alarm["AlarmName"]: None for alarm in alarms
    }


@pytest.mark.parametrize(
    ("alarm", "why"),
    [
        ({"Period": DAY_S, "EvaluationPeriods": 9}, "evaluates 777600 s"),
        ({"Period": 300, "EvaluationPeriods": 289}, "evaluates 86700 s"),
        ({"Period": 90, "EvaluationPeriods": 1}, "the period is 90 s"),
        ({"Period": 60, "EvaluationPeriods": 2, "DatapointsToAlarm": 3}, "2 periods"),
    ],
)
def test_an_alarm_beyond_the_limits_is_found(alarm: dict[str, Any], why: str) -> None:
    assert why in str(rejection(alarm))


def rule(alarm: dict[str, Any]) -> tuple[str, str, int, str, int, str]:
    """Return when an alarm rises, as the tables above write it."""
    rises = f"{SIGNS[alarm['ComparisonOperator']]} {alarm['Threshold']}"
    watched = (alarm["MetricName"], alarm["Statistic"], alarm["Period"])
    return (*watched, rises, alarm["EvaluationPeriods"], alarm["TreatMissingData"])


@pytest.mark.parametrize("flavour", EXPECTED)
def test_the_deployment_has_exactly_these_alarms_with_these_thresholds(
    assemblies: dict[str, Assembly], flavour: str
) -> None:
    alarms = assemblies[flavour].properties_of("AWS::CloudWatch::Alarm")

    found = {alarm["AlarmName"].removeprefix("community-metrics-"): rule(alarm) for alarm in alarms}
    assert found == EXPECTED[flavour]
    assert not any("DatapointsToAlarm" in alarm for alarm in alarms)


def test_every_alarm_notifies_when_it_rises_and_when_it_ends(assembly: Assembly) -> None:
    alarms = assembly.properties_of("AWS::CloudWatch::Alarm")

    assert alarms
    for properties in alarms:
        assert len(properties["AlarmActions"]) == 1
        assert properties["AlarmActions"] == properties["OKActions"]


def test_the_same_alarm_rises_after_eight_days_without_success_and_without_data(assembly: Assembly) -> None:
    (alarm,) = [
        alarm
        for alarm in assembly.properties_of("AWS::CloudWatch::Alarm")
        if alarm["AlarmName"] == "community-metrics-no-success"
    ]

    assert (alarm["Namespace"], alarm["MetricName"]) == ("CommunityMetrics", "AgeOfLastSuccessHours")
    assert (alarm["Threshold"], alarm["TreatMissingData"]) == (192, "breaching")


def test_only_a_burstable_instance_has_an_alarm_about_cpu_credits() -> None:
    assert settings("smallest", instance_type="t4g.medium").is_burstable
    assert not settings("smallest", instance_type="m7g.medium").is_burstable


def test_every_gauge_has_an_alarm_and_a_graph(fullest: Assembly) -> None:
    watched = {alarm["MetricName"] for alarm in fullest.properties_of("AWS::CloudWatch::Alarm")}
    board = resolve(fullest.properties("AWS::CloudWatch::Dashboard")["DashboardBody"])
    drawn = {
        widget["properties"]["metrics"][0][1]
        for widget in json.loads(board)["widgets"]
        if widget["type"] == "metric"
    }

    assert {str(name) for name in Gauge} - watched == set()
    assert {str(name) for name in Gauge} - drawn == set()


@pytest.mark.parametrize("flavour", ["fullest", "serverless"])
def test_the_runbook_has_every_alarm(assemblies: dict[str, Assembly], flavour: str) -> None:
    runbook = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
    alarms = assemblies[flavour].properties_of("AWS::CloudWatch::Alarm")

    names = {re.sub(r"api-down-.*", "api-down-<region>", alarm["AlarmName"]) for alarm in alarms}
    assert {name for name in names if f"`{name}`" not in runbook} == set()


@pytest.mark.parametrize(
    ("flavour", "place", "gauges"),
    [("smallest", "the host", set(Gauge)), ("serverless", "Lambda", ON_LAMBDA)],
)
def test_the_costs_count_every_alarm_and_every_gauge(
    assemblies: dict[str, Assembly], flavour: str, place: str, gauges: set[Gauge]
) -> None:
    page = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
    alarms, metrics = (
        line for line in page.splitlines() if line.startswith(("| alarms, 0.10", "| custom metrics"))
    )

    assert f" {len(assemblies[flavour].properties_of('AWS::CloudWatch::Alarm'))} for {place}" in alarms
    assert f" {len(gauges)} for {place}" in metrics
