"""Adapters of the host deployment: secrets, instance, address, alarms, topics, bucket policies."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.infra.rehearsal.adapters import Adapter, client

# the parameters of PutMetricAlarm that a template may have
_ALARM = (
    "AlarmName", "AlarmDescription", "Namespace", "MetricName", "ComparisonOperator", "EvaluationPeriods",
    "DatapointsToAlarm", "Period", "Statistic", "Threshold", "TreatMissingData", "AlarmActions", "OKActions",
    "Dimensions",
)  # fmt: skip


class Secret(Adapter):
    """Creates the secret without a value, as CloudFormation does; rejects one with a value."""

    TYPE = "AWS::SecretsManager::Secret"

    @classmethod
    def make(cls, region: str, name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        if value := {"SecretString", "GenerateSecretString"} & set(properties):
            raise ValueError(f"{name} has a value: {', '.join(sorted(value))}")
        made = client("secretsmanager", region).create_secret(
            Name=properties["Name"], Description=properties["Description"]
        )
        return made["ARN"], {"Id": made["ARN"]}


class Instance(Adapter):
    """Starts the instance with the properties that moto's own model ignores."""

    TYPE = "AWS::EC2::Instance"

    @classmethod
    def make(cls, region: str, name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        interface = properties["NetworkInterfaces"][0]
        (box,) = client("ec2", region).run_instances(
            MinCount=1,
            MaxCount=1,
            ImageId=properties["ImageId"],
            InstanceType=properties["InstanceType"],
            UserData=_decoded(properties["UserData"]),
            BlockDeviceMappings=properties["BlockDeviceMappings"],
            MetadataOptions=properties["MetadataOptions"],
            CreditSpecification={"CpuCredits": properties["CreditSpecification"]["CPUCredits"]},
            IamInstanceProfile={"Name": properties["IamInstanceProfile"]},
            NetworkInterfaces=[
                {
                    "AssociatePublicIpAddress": interface["AssociatePublicIpAddress"],
                    "DeviceIndex": int(interface["DeviceIndex"]),
                    "Groups": interface["GroupSet"],
                    "SubnetId": interface["SubnetId"],
                }
            ],
            InstanceInitiatedShutdownBehavior=properties["InstanceInitiatedShutdownBehavior"],
            DisableApiTermination=properties["DisableApiTermination"],
            TagSpecifications=[{"ResourceType": "instance", "Tags": properties["Tags"]}],
            **({"KeyName": properties["KeyName"]} if "KeyName" in properties else {}),
        )["Instances"]
        return box["InstanceId"], {"InstanceId": box["InstanceId"]}

    def remove(self) -> None:
        client("ec2", self.region).terminate_instances(InstanceIds=[self.physical_resource_id])


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode()


class EipAssociation(Adapter):
    """Associates the address with the instance; a new instance takes it over."""

    TYPE = "AWS::EC2::EIPAssociation"

    @classmethod
    def make(cls, region: str, name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        made = client("ec2", region).associate_address(
            AllocationId=properties["AllocationId"],
            InstanceId=properties["InstanceId"],
            AllowReassociation=True,
        )
        return made["AssociationId"], {"Id": made["AssociationId"]}


class Alarm(Adapter):
    """Creates the alarm."""

    TYPE = "AWS::CloudWatch::Alarm"

    @classmethod
    def make(cls, region: str, name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        cloudwatch = client("cloudwatch", region)
        cloudwatch.put_metric_alarm(**{key: properties[key] for key in _ALARM if key in properties})
        (alarm,) = cloudwatch.describe_alarms(AlarmNames=[properties["AlarmName"]])["MetricAlarms"]
        return properties["AlarmName"], {"Arn": alarm["AlarmArn"]}

    def remove(self) -> None:
        client("cloudwatch", self.region).delete_alarms(AlarmNames=[self.physical_resource_id])


class Subscription(Adapter):
    """Subscribes the address; a real one has to confirm by mail."""

    TYPE = "AWS::SNS::Subscription"

    @classmethod
    def make(cls, region: str, name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        made = client("sns", region).subscribe(
            TopicArn=properties["TopicArn"], Protocol=properties["Protocol"], Endpoint=properties["Endpoint"]
        )
        return made["SubscriptionArn"], {"Arn": made["SubscriptionArn"]}


class TopicPolicy(Adapter):
    """Sets the policy of each topic."""

    TYPE = "AWS::SNS::TopicPolicy"

    @classmethod
    def make(cls, region: str, name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        policy = json.dumps(properties["PolicyDocument"])
        for topic in properties["Topics"]:
            client("sns", region).set_topic_attributes(
                TopicArn=topic, AttributeName="Policy", AttributeValue=policy
            )
        return name, {"Id": name}


class BucketPolicy(Adapter):
    """Sets the policy of the bucket, without the statement that denies HTTP, which this server uses."""

    TYPE = "AWS::S3::BucketPolicy"

    @classmethod
    def make(cls, region: str, name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        document = properties["PolicyDocument"]
        kept = [item for item in document["Statement"] if "SecureTransport" not in json.dumps(item)]
        if kept:
            policy = json.dumps({**document, "Statement": kept})
            client("s3", region).put_bucket_policy(Bucket=properties["Bucket"], Policy=policy)
        return properties["Bucket"], {}
