"""Read the state of the rehearsal's AWS with boto3."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from infra.names import METRIC_NAMESPACE

if TYPE_CHECKING:
    from tests.infra.rehearsal.stage import Stage

GLOBAL_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class World:
    """The state of every resource of a deployment."""

    boxes: list[dict[str, Any]]
    user_data: str
    address: dict[str, Any]
    records: dict[str, dict[str, Any]]
    secrets: dict[str, str]
    buckets: set[str]
    alarms: dict[str, dict[str, Any]]
    subscriptions: dict[str, str]
    log_retention_days: dict[str, int]

    @property
    def box(self) -> dict[str, Any]:
        """The only running instance."""
        (box,) = self.boxes
        return box

    @property
    def facts(self) -> dict[str, Any]:
        """The facts in the user data."""
        text = self.user_data.split("<<'END_OF_FACTS'\n")[1].split("\nEND_OF_FACTS")[0]
        found: dict[str, Any] = json.loads(text)
        return found


def read_back(stage: Stage, region: str, zone_id: str) -> World:
    """Read the state of every resource."""
    boxes = _boxes(stage, region)
    addresses = stage.client("ec2", region).describe_addresses()["Addresses"]
    secrets = stage.client("secretsmanager", region).list_secrets()["SecretList"]
    buckets = stage.client("s3", region).list_buckets()["Buckets"]
    groups = stage.client("logs", region).describe_log_groups()["logGroups"]
    return World(
        boxes=boxes,
        user_data=_user_data(stage, region, boxes[0]["InstanceId"]) if boxes else "",
        address=addresses[0],
        records=_records(stage, zone_id),
        secrets={secret["Name"]: secret["ARN"] for secret in secrets},
        buckets={bucket["Name"] for bucket in buckets if bucket["Name"].startswith("community-metrics")},
        alarms={**_alarms(stage, region), **_alarms(stage, GLOBAL_REGION)},
        subscriptions={**_subscriptions(stage, region), **_subscriptions(stage, GLOBAL_REGION)},
        log_retention_days={group["logGroupName"]: group["retentionInDays"] for group in groups},
    )


def _boxes(stage: Stage, region: str) -> list[dict[str, Any]]:
    found = stage.client("ec2", region).describe_instances(
        Filters=[{"Name": "instance-state-name", "Values": ["running"]}]
    )
    return [box for reservation in found["Reservations"] for box in reservation["Instances"]]


def _user_data(stage: Stage, region: str, box: str) -> str:
    found = stage.client("ec2", region).describe_instance_attribute(InstanceId=box, Attribute="userData")
    return base64.b64decode(found["UserData"]["Value"]).decode()


def _records(stage: Stage, zone_id: str) -> dict[str, dict[str, Any]]:
    found = stage.client("route53", GLOBAL_REGION).list_resource_record_sets(HostedZoneId=zone_id)
    return {
        item["Type"]: item for item in found["ResourceRecordSets"] if item["Name"].startswith("metrics-api")
    }


def _alarms(stage: Stage, region: str) -> dict[str, dict[str, Any]]:
    found = stage.client("cloudwatch", region).describe_alarms()["MetricAlarms"]
    return {alarm["AlarmName"].removeprefix("community-metrics-"): alarm for alarm in found}


def _subscriptions(stage: Stage, region: str) -> dict[str, str]:
    found = stage.client("sns", region).list_subscriptions()["Subscriptions"]
    return {item["TopicArn"]: item["Endpoint"] for item in found}


def logged(logs: Any, group: str) -> dict[str, str]:
    """Return the content of each stream of a log group, by the stream's name."""
    streams = [
        stream["logStreamName"] for stream in logs.describe_log_streams(logGroupName=group)["logStreams"]
    ]
    return {
        stream: "\n".join(
            event["message"]
            for event in logs.get_log_events(logGroupName=group, logStreamName=stream)["events"]
        )
        for stream in streams
    }


def newest_value(cloudwatch: Any, gauge: str) -> float:
    """Return the newest value of a gauge of the last hour."""
    now = datetime.now(UTC)
    points = cloudwatch.get_metric_statistics(
        Namespace=METRIC_NAMESPACE,
        MetricName=gauge,
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=1,
        Statistics=["Maximum"],
    )["Datapoints"]
    return float(max(points, key=lambda point: point["Timestamp"])["Maximum"])
