"""The settings of deliveries: the secret address and key of each target, and the mail server.

A target with the id `team` has `CM_DELIVERY_URL_TEAM` and `CM_DELIVERY_KEY_TEAM`. `CM_DELIVERY` holds any of
them, and `CM_SMTP_URL`, as one JSON object: that is how they travel as one secret. No message has a value.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr, TypeAdapter, ValidationError

from community_metrics.origins import keeps_secrets
from community_metrics.setting_types import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from urllib.parse import SplitResult

SMTP_URL: Final = "CM_SMTP_URL"
_TARGET: Final = re.compile(r"CM_DELIVERY_(URL|KEY)_([A-Z0-9][A-Z0-9_]*)")
_SHORTEST_KEY: Final = 16
_SHORTEST_PART: Final = 6
"""Characters of a path that identifies an address: a shorter one would be redacted in other words too."""


def url_variable(delivery_id: str) -> str:
    """Return the name of the setting with the address of a target."""
    return f"CM_DELIVERY_URL_{_suffix(delivery_id)}"


def key_variable(delivery_id: str) -> str:
    """Return the name of the setting with the key that a webhook's requests are signed with."""
    return f"CM_DELIVERY_KEY_{_suffix(delivery_id)}"


def _suffix(delivery_id: str) -> str:
    return delivery_id.upper().replace("-", "_")


def _parts(secret: SecretStr) -> SplitResult:
    parts = urlsplit(secret.get_secret_value())
    _ = parts.port  # raises where it is no number up to 65535
    return parts


def _web_address(secret: SecretStr | None) -> SecretStr | None:
    """Return the address of a target; its text is never in a message, since it is the secret."""
    if secret is None:
        return None
    fix = "Fix: copy the whole https:// address again"
    try:
        parts = _parts(secret)
    except ValueError:
        raise ValueError(f"is not an address. {fix}") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.fragment or "@" in parts.netloc:
        raise ValueError(f"is not the https:// address of a page without user and '#'. {fix}")
    if not keeps_secrets(f"{parts.scheme}://{parts.netloc}"):
        raise ValueError(
            "would send the digest unencrypted. Fix: write https://; http:// works only for this machine "
            "(127.0.0.0/8, ::1, localhost)"
        )
    return secret


def _mail_server(secret: SecretStr | None) -> SecretStr | None:
    if secret is None:
        return None
    fix = "Fix: write smtps://user:password@host:465, or smtp://user:password@host:587 for STARTTLS"
    try:
        parts = _parts(secret)
    except ValueError:
        raise ValueError(f"is not an address; percent-encode '/', '@' and ':' of a password. {fix}") from None
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError(f"is not the address of a mail server. {fix}")
    if (parts.username is None) != (parts.password is None):
        raise ValueError(f"has a user without a password, or the reverse. {fix}")
    return secret


def _signing_key(secret: SecretStr | None) -> SecretStr | None:
    if secret is not None and len(secret.get_secret_value()) < _SHORTEST_KEY:
        raise ValueError(
            f"has fewer than {_SHORTEST_KEY} characters, so that it could be guessed. "
            "Fix: make one with `openssl rand -hex 32`"
        )
    return secret


DeliveryKey = Annotated[Secret, AfterValidator(_signing_key)]
DeliveryUrl = Annotated[Secret, AfterValidator(_web_address)]
SmtpUrl = Annotated[Secret, AfterValidator(_mail_server)]


def delivery_fields(variables: Iterable[str]) -> dict[str, Any]:
    """Return a field of the settings for each variable that has the name of a target's address or key."""
    return {
        name.removeprefix("CM_").lower(): (_type_of(name), None)
        for name in variables
        if _TARGET.fullmatch(name)
    }


def _type_of(name: str) -> Any:
    if name == SMTP_URL:
        return SmtpUrl
    found = _TARGET.fullmatch(name)
    if found is None:
        return None
    return DeliveryUrl if found[1] == "URL" else DeliveryKey


def is_target_variable(name: str) -> bool:
    """Return whether a variable has the address or the key of a target."""
    return _TARGET.fullmatch(name) is not None


def _object(value: object) -> object:
    """Return the secrets of the JSON object in a text."""
    if not isinstance(value, str | SecretStr):
        return value
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    try:
        found = json.loads(text) if text.strip() else {}
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise ValueError(
            "is not a JSON object of names and texts. "
            'Fix: write it as {"CM_DELIVERY_URL_TEAM": "https://…", "CM_SMTP_URL": "smtps://…"}'
        )
    return {name.upper(): secret for name, one in found.items() if (secret := _checked(name.upper(), one))}


def _checked(name: str, value: str) -> SecretStr | None:
    kind = _type_of(name)
    if kind is None:
        raise ValueError(
            f"has {name!r:.80}, which is no setting of a delivery. "
            f"Fix: write CM_DELIVERY_URL_<ID>, CM_DELIVERY_KEY_<ID> or {SMTP_URL}"
        )
    try:
        secret: SecretStr | None = TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        said = error.errors(include_input=False, include_url=False)[0]["msg"]
        raise ValueError(f"{name} {said.removeprefix('Value error, ')}") from None
    return secret


DeliverySecrets = Annotated[dict[str, SecretStr], BeforeValidator(_object)]


def texts_of(secrets: Mapping[str, SecretStr]) -> list[str]:
    """Return what of these secrets may be in no log: each whole, and the parts that libraries show alone."""
    found = []
    for name, secret in secrets.items():
        text = secret.get_secret_value()
        found.append(text)
        if name.startswith("CM_DELIVERY_KEY_"):
            continue
        parts = urlsplit(text)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        found += [target] if len(target) > _SHORTEST_PART else []
        found += [form for one in (parts.password,) if one for form in (one, unquote(one))]
    return found
