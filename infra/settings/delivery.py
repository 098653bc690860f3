"""The settings of deliveries: whether digests are sent, and what mail needs."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from infra.settings.values import MailIdentity

_BLOCKED_PORT = 25


class DeliverySettings(BaseModel):
    """The table `[delivery]`. The targets are in the catalogue, their addresses and keys in a secret."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    enabled: bool
    ses_identity: MailIdentity | None = None
    smtp_port: Annotated[int, Field(ge=1, le=65535)] | None = None

    @field_validator("smtp_port")
    @classmethod
    def _check_port(cls, port: int | None) -> int | None:
        if port == _BLOCKED_PORT:
            raise ValueError("AWS blocks port 25; use the mail server's port with TLS, mostly 465 or 587")
        return port
