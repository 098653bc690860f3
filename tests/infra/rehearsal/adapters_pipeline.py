"""Adapters of the pipeline: GitHub's OpenID Connect provider."""

from __future__ import annotations

from typing import Any

from tests.infra.rehearsal.adapters import Adapter, client


class OidcProvider(Adapter):
    """Creates the provider; AWS allows one of an issuer in an account."""

    TYPE = "AWS::IAM::OIDCProvider"

    @classmethod
    def make(cls, region: str, name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        made = client("iam", region).create_open_id_connect_provider(
            Url=properties["Url"], ClientIDList=properties["ClientIdList"]
        )
        return made["OpenIDConnectProviderArn"], {"Arn": made["OpenIDConnectProviderArn"]}
