"""Resource types that moto's CloudFormation lacks, or of which it drops what matters here.

Each adapter does what CloudFormation does: it calls the service's own API, at the same server, with the
template's properties. Before that it refuses properties that the resource type's schema (from cfn-lint)
does not know, or that it misses. What this proves: the properties are those of the type, and the service's
API takes them. What it does not prove: anything of CloudFormation itself. Its order (moto removes the old box
before it makes the new one), its waiting (no signal is waited for), its rollback, its permissions (moto asks
for none) and whether a certificate would ever be issued.
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
    """Tell the adapters where the server is whose process they live in."""
    _SETTINGS["endpoint"] = ENDPOINT.format(port=port)


def client(service: str, region: str) -> Any:
    """Return a client of this very server."""
    return boto3.client(
        service,  # type: ignore[call-overload]  # the name is only known when it runs
        region_name=region,
        endpoint_url=_SETTINGS["endpoint"],
        aws_access_key_id="rehearsal",
        aws_secret_access_key="rehearsal",
        config=Config(retries={"total_max_attempts": 1}),
    )


def check(type_: str, properties: dict[str, Any]) -> None:
    """Raise what jsonschema_rs raises when the properties are not those of the resource type."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", type_).schema
    jsonschema_rs.Draft7Validator(schema).validate(properties)


class Adapter:
    """What every adapter shares; a type says how it is made, and what it is called afterwards."""

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
        """Undo `make`; what nobody reads back after a removal may stay."""

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
