"""The HTTP API in front of the API function: throttling, domain name, certificate, access log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from aws_cdk import aws_apigatewayv2 as gateway
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.dns_stack import hosted_zone
from infra.names import PRODUCT, LogGroup

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_

    from infra.settings import DeploymentSettings

REQUESTS_PER_S = 50
BURST = 100
_LOGGED = ("requestId", "httpMethod", "path", "status", "responseLength", "responseLatency")


class PublicApi(Construct):
    """Routes every request to the function, under the API's domain name only."""

    def __init__(
        self, scope: Construct, id_: str, *, settings: DeploymentSettings, function: lambda_.IFunction
    ) -> None:
        super().__init__(scope, id_)
        self.domain = gateway.DomainName(
            self,
            "Name",
            domain_name=settings.api_host,
            certificate=self._build_certificate(settings),
            security_policy=gateway.SecurityPolicy.TLS_1_2,
        )
        self.api = gateway.HttpApi(
            self,
            "Api",
            api_name=settings.named(PRODUCT),
            create_default_stage=False,
            disable_execute_api_endpoint=True,
            # the application handles CORS, as on the host
            default_integration=integrations.HttpLambdaIntegration("Function", function),
        )
        self._build_stage(settings.named(LogGroup.HTTP_API))

    def _build_certificate(self, settings: DeploymentSettings) -> acm.Certificate:
        return acm.Certificate(
            self,
            "Certificate",
            domain_name=settings.api_host,
            validation=acm.CertificateValidation.from_dns(hosted_zone(self, settings)),
        )

    def _build_stage(self, log_group: str) -> None:
        stage = gateway.HttpStage(
            self,
            "Stage",
            http_api=self.api,
            stage_name="$default",
            auto_deploy=True,
            throttle=gateway.ThrottleSettings(rate_limit=REQUESTS_PER_S, burst_limit=BURST),
            domain_mapping=gateway.DomainMappingOptions(domain_name=self.domain),
        )
        log = logs.LogGroup.from_log_group_name(self, "AccessLog", log_group)
        template = cast("gateway.CfnStage", stage.node.default_child)
        template.access_log_settings = gateway.CfnStage.AccessLogSettingsProperty(
            # a stage rejects the ":*" at the end of an imported log group's ARN
            destination_arn=log.log_group_arn.removesuffix(":*"),
            format=json.dumps({name: f"$context.{name}" for name in _LOGGED}),
        )
