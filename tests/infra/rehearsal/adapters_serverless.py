"""Adapters of the serverless side: certificate, HTTP API, clock, queue policy."""

from __future__ import annotations

import json
from typing import Any

from tests.infra.rehearsal.adapters import Adapter, client


class Certificate(Adapter):
    """Requests the certificate; moto issues at once what a CA would first want proved."""

    TYPE = "AWS::CertificateManager::Certificate"

    @classmethod
    def make(cls, region: str, name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        made = client("acm", region).request_certificate(
            DomainName=properties["DomainName"], ValidationMethod=properties["ValidationMethod"]
        )
        return made["CertificateArn"], {"Id": made["CertificateArn"]}


class DomainName(Adapter):
    """Makes the API's own name."""

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
    """Makes the HTTP API."""

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
    """Joins the API and the function."""

    TYPE = "AWS::ApiGatewayV2::Integration"

    @classmethod
    def make(cls, region: str, name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        made = client("apigatewayv2", region).create_integration(**properties)
        return made["IntegrationId"], {"IntegrationId": made["IntegrationId"]}


class Route(Adapter):
    """Makes the route."""

    TYPE = "AWS::ApiGatewayV2::Route"

    @classmethod
    def make(cls, region: str, name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        made = client("apigatewayv2", region).create_route(**properties)
        return made["RouteId"], {"RouteId": made["RouteId"]}


class Stage(Adapter):
    """Makes the stage; moto's HTTP API has none of its settings but the name."""

    TYPE = "AWS::ApiGatewayV2::Stage"

    @classmethod
    def make(cls, region: str, name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        client("apigatewayv2", region).create_stage(**properties)
        return properties["StageName"], {}


class ApiMapping(Adapter):
    """Puts the API under its name."""

    TYPE = "AWS::ApiGatewayV2::ApiMapping"

    @classmethod
    def make(cls, region: str, name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        made = client("apigatewayv2", region).create_api_mapping(**properties)
        return made["ApiMappingId"], {"ApiMappingId": made["ApiMappingId"]}


class EventInvokeConfig(Adapter):
    """Says how often the function is tried again, and where a failed event goes."""

    TYPE = "AWS::Lambda::EventInvokeConfig"

    @classmethod
    def make(cls, region: str, name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        settings = {key: value for key, value in properties.items() if key != "Qualifier"}
        client("lambda", region).put_function_event_invoke_config(**settings)
        return name, {}


class Schedule(Adapter):
    """Makes the schedule."""

    TYPE = "AWS::Scheduler::Schedule"

    @classmethod
    def make(cls, region: str, name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        made = client("scheduler", region).create_schedule(**properties)
        return properties["Name"], {"Arn": made["ScheduleArn"]}


class QueuePolicy(Adapter):
    """Puts the policy on each queue."""

    TYPE = "AWS::SQS::QueuePolicy"

    @classmethod
    def make(cls, region: str, name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        policy = json.dumps(properties["PolicyDocument"])
        for queue in properties["Queues"]:
            client("sqs", region).set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
        return name, {"Id": name}
