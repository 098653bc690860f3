"""Adapters of the serverless deployment: certificate, HTTP API, schedules, queue policy."""

from __future__ import annotations

import json
from typing import Any

from tests.infra.rehearsal.adapters import Adapter, client


class Certificate(Adapter):
    """Requests the certificate; moto issues it without validation."""

    TYPE = "AWS::CertificateManager::Certificate"

    @classmethod
    def make(cls, region: str, name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        made = client("acm", region).request_certificate(
            DomainName=properties["DomainName"], ValidationMethod=properties["ValidationMethod"]
        )
        return made["CertificateArn"], {"Id": made["CertificateArn"]}


class DomainName(Adapter):
    """Creates the domain name of the API."""

    TYPE = "AWS::ApiGatewayV2::DomainName"

    @classmethod
    def make(cls, region: str, name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        client("apigatewayv2", region).create_domain_name(
            DomainName=properties["DomainName"],
            DomainNameConfigurations=properties["DomainNameConfigurations"],
            Tags=properties["Tags"],
        )
        regional = f"d-rehearsal.execute-api.{region}.amazonaws.com"
        return properties["DomainName"], {
            "RegionalDomainName": regional,
            "RegionalHostedZoneId": "Z0REHEARSAL",
        }


class Api(Adapter):
    """Creates the HTTP API."""

    TYPE = "AWS::ApiGatewayV2::Api"

    @classmethod
    def make(cls, region: str, name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        made = client("apigatewayv2", region).create_api(
            Name=properties["Name"],
            ProtocolType=properties["ProtocolType"],
            DisableExecuteApiEndpoint=properties["DisableExecuteApiEndpoint"],
            Tags=properties["Tags"],
        )
        return made["ApiId"], {"ApiId": made["ApiId"], "ApiEndpoint": made["ApiEndpoint"]}


class Integration(Adapter):
    """Creates the integration of the API with the function."""

    TYPE = "AWS::ApiGatewayV2::Integration"

    @classmethod
    def make(cls, region: str, name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        made = client("apigatewayv2", region).create_integration(**properties)
        return made["IntegrationId"], {"IntegrationId": made["IntegrationId"]}


class Route(Adapter):
    """Creates the route."""

    TYPE = "AWS::ApiGatewayV2::Route"

    @classmethod
    def make(cls, region: str, name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        made = client("apigatewayv2", region).create_route(**properties)
        return made["RouteId"], {"RouteId": made["RouteId"]}


class Stage(Adapter):
    """Creates the stage; moto stores its name only."""

    TYPE = "AWS::ApiGatewayV2::Stage"

    @classmethod
    def make(cls, region: str, name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        client("apigatewayv2", region).create_stage(**properties)
        return properties["StageName"], {}


class ApiMapping(Adapter):
    """Maps the domain name to the API."""

    TYPE = "AWS::ApiGatewayV2::ApiMapping"

    @classmethod
    def make(cls, region: str, name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        made = client("apigatewayv2", region).create_api_mapping(**properties)
        return made["ApiMappingId"], {"ApiMappingId": made["ApiMappingId"]}


class EventInvokeConfig(Adapter):
    """Sets the retries of the function, and the destination of failed events."""

    TYPE = "AWS::Lambda::EventInvokeConfig"

    @classmethod
    def make(cls, region: str, name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        settings = {key: value for key, value in properties.items() if key != "Qualifier"}
        client("lambda", region).put_function_event_invoke_config(**settings)
        return name, {}


class Schedule(Adapter):
    """Creates the schedule."""

    TYPE = "AWS::Scheduler::Schedule"

    @classmethod
    def make(cls, region: str, name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        made = client("scheduler", region).create_schedule(**properties)
        return properties["Name"], {"Arn": made["ScheduleArn"]}


class QueuePolicy(Adapter):
    """Sets the policy of each queue."""

    TYPE = "AWS::SQS::QueuePolicy"

    @classmethod
    def make(cls, region: str, name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        policy = json.dumps(properties["PolicyDocument"])
        for queue in properties["Queues"]:
            client("sqs", region).set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
        return name, {"Id": name}
