"""Adapters for resource types that moto's CloudFormation does not support, or supports in part only.

Like CloudFormation, each adapter calls the service's API, on the same server, with the template's properties.
Before that, it rejects properties that are not valid in the resource type's schema (from cfn-lint). This
proves that the properties are valid and that the service's API accepts them. It does not prove the behaviour
of CloudFormation: the order (moto deletes the old instance before it creates the new one), waiting for
signals, rollback, permissions (moto checks none), and whether a certificate is issued.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import boto3
import jsonschema_rs
from botocore.config import Config
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

ENDPOINT = "http://127.0.0.1:{port}"
_SETTINGS: dict[str, str] = {}


def serve_at(port: int) -> None:
    """Set the port of the server that runs in this process."""
    _SETTINGS["endpoint"] = ENDPOINT.format(port=port)


def client(service: str, region: str) -> Any:
    """Return a client of the server in this process."""
    return boto3.client(
        service,  # type: ignore[call-overload]  # the name is only known when it runs
        region_name=region,
        endpoint_url=_SETTINGS["endpoint"],
        aws_access_key_id="rehearsal",
        aws_secret_access_key="rehearsal",
        config=Config(retries={"total_max_attempts": 1}),
    )


def check(type_: str, properties: dict[str, Any]) -> None:
    """Raise jsonschema_rs.ValidationError if the properties are not valid for the resource type."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", type_).schema
    jsonschema_rs.Draft7Validator(schema).validate(properties)


class Adapter:
    """The base class; each subclass creates one resource type and returns its id."""

    TYPE: ClassVar[str]

    def __init__(self, physical_resource_id: str, region: str, attributes: dict[str, Any]) -> None:
        self.physical_resource_id = physical_resource_id
        self.region = region
        self._attributes = attributes

    @classmethod
    def make(cls, region: str, name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Call the service, and return the physical id and the attributes for Fn::GetAtt."""
        raise NotImplementedError

    def remove(self) -> None:
        """Delete the resource; resources that no test reads afterwards may stay."""

    @classmethod
    def cloudformation_type(cls) -> str:
        return cls.TYPE

    @classmethod
    def cloudformation_name_type(cls) -> str:
        return ""

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr != ""

    def is_created(self) -> bool:
        return True

    def get_cfn_attribute(self, name: str) -> Any:
        return self._attributes[name]

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **kwargs: Any,
    ) -> Self:
        properties = cloudformation_json["Properties"]
        check(cls.TYPE, properties)
        return cls(*_with_region(cls.make(region_name, resource_name, properties), region_name))

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Self,
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> Self:
        return cls.create_from_cloudformation_json(
            new_resource_name, cloudformation_json, account_id, region_name
        )

    def delete(self, account_id: str, region_name: str) -> None:
        self.remove()


def _with_region(made: tuple[str, dict[str, Any]], region: str) -> tuple[str, str, dict[str, Any]]:
    physical_id, attributes = made
    return physical_id, region, attributes
