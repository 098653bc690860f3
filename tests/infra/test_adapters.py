"""The adapters of the rehearsal reject properties that CloudFormation rejects, before any call."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from tests.infra.rehearsal import adapters_host, adapters_network, adapters_pipeline, adapters_serverless
from tests.infra.rehearsal.adapters import Adapter, check

MODULES = (adapters_host, adapters_network, adapters_pipeline, adapters_serverless)
TYPES = sorted(adapter.TYPE for adapter in Adapter.__subclasses__())
ALARM: dict[str, Any] = {"ComparisonOperator": "LessThanThreshold", "EvaluationPeriods": 1}


def next_key(value: dict[str, Any]) -> str:
    return next(iter(value))


@pytest.mark.parametrize("type_", TYPES)
def test_an_unknown_property_is_rejected(type_: str) -> None:
    with pytest.raises(jsonschema_rs.ValidationError, match="Colour"):
        check(type_, {"Colour": "green"})


@pytest.mark.parametrize(
    ("type_", "properties", "what"),
    [
        (
            "AWS::SNS::TopicPolicy",
            {"Topics": ["arn:aws:sns:us-east-1:123456789012:alarms"]},
            '"PolicyDocument" is a required',
        ),
        ("AWS::CloudWatch::Alarm", {**ALARM, "Statistics": "Sum"}, "'Statistics' was unexpected"),
        ("AWS::CloudWatch::Alarm", {**ALARM, "EvaluationPeriods": "often"}, '"often" is not of type'),
        (
            "AWS::CloudWatch::Alarm",
            {**ALARM, "Dimensions": [{"Name": "InstanceId"}]},
            '"Value" is a required',
        ),
    ],
    ids=["missing", "misspelt", "wrong type", "missing below"],
)
def test_invalid_properties_are_rejected(type_: str, properties: dict[str, Any], what: str) -> None:
    with pytest.raises(jsonschema_rs.ValidationError, match=what):
        check(type_, properties)


def test_valid_properties_are_accepted() -> None:
    check("AWS::CloudWatch::Alarm", {**ALARM, "Dimensions": [{"Name": "InstanceId", "Value": "i-0"}]})


@pytest.mark.parametrize("value", [{"SecretString": "a key"}, {"GenerateSecretString": {}}], ids=next_key)
def test_a_secret_with_a_value_is_rejected(value: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next_key(value)):
        adapters_host.Secret.make("us-east-1", "Entry", {"Name": "a", "Description": "b", **value})
