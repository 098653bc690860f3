"""CloudWatch rejects an alarm with a too long evaluation period, but only at deploy time; tested here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.infra.flavours import settings

if TYPE_CHECKING:
    from tests.infra.conftest import Assembly

HOUR_S = 3600
DAY_S = 24 * HOUR_S
JOBS = {"no-success", "run-failed", "bad-runs", "api-down-us-east-1"}
EXPECTED = {
    "smallest": JOBS | {"certificate", "disk", "memory", "cpu-credits"},
    "serverless": JOBS | {"api-errors", "job-error", "dead-letters"},
}


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
    alarms = [found["Properties"] for found in assembly.resources("AWS::CloudWatch::Alarm")]

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


@pytest.mark.parametrize("flavour", EXPECTED)
def test_the_deployment_has_exactly_these_alarms(assemblies: dict[str, Assembly], flavour: str) -> None:
    alarms = assemblies[flavour].resources("AWS::CloudWatch::Alarm")

    names = {alarm["Properties"]["AlarmName"].removeprefix("community-metrics-") for alarm in alarms}
    assert names == EXPECTED[flavour]


def test_every_alarm_notifies_when_it_rises_and_when_it_ends(assembly: Assembly) -> None:
    for alarm in assembly.resources("AWS::CloudWatch::Alarm"):
        properties = alarm["Properties"]

        assert len(properties["AlarmActions"]) == 1
        assert properties["AlarmActions"] == properties["OKActions"]


def test_the_same_alarm_rises_after_eight_days_without_success_and_without_data(assembly: Assembly) -> None:
    (alarm,) = [
        found["Properties"]
        for found in assembly.resources("AWS::CloudWatch::Alarm")
        if found["Properties"]["AlarmName"] == "community-metrics-no-success"
    ]

    assert (alarm["Namespace"], alarm["MetricName"]) == ("CommunityMetrics", "AgeOfLastSuccessHours")
    assert (alarm["Threshold"], alarm["TreatMissingData"]) == (192, "breaching")


def test_only_a_burstable_instance_has_an_alarm_about_cpu_credits() -> None:
    assert settings("smallest", instance_type="t4g.medium").is_burstable
    assert not settings("smallest", instance_type="m7g.medium").is_burstable
