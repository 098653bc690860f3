"""The types of the values of settings; an invalid value raises a `ValueError` with its fix."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, SecretStr

from community_metrics.origins import require_browser_origin, require_origin


def _split(value: object) -> object:
    """Return the parts of a comma separated text; anything else unchanged."""
    if not isinstance(value, str):
        return value
    parts = tuple(part.strip() for part in value.split(",") if part.strip())
    if value and not parts:  # an empty list of tokens would make the API public
        raise ValueError("has only commas and blanks. Fix: list the entries, or leave it unset")
    return parts


def _token_hash(value: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", value):
        raise ValueError(
            "each entry is the SHA-256 of a token, 64 lower-case hex digits. "
            "Fix: create one with `community-metrics token new`"
        )
    return value


def _secret(secret: SecretStr | None) -> SecretStr | None:
    """Return a secret that an HTTP header can hold; None if it is empty."""
    if secret is None or not secret.get_secret_value():
        return None
    if not re.fullmatch(r"[!-~]+", secret.get_secret_value()):  # an HTTP library would show it in its error
        raise ValueError("holds a space, a line break or a letter that no key has. Fix: copy it again")
    return secret


def _contact(contact: str) -> str:
    if not contact.isascii() or not contact.isprintable() or not contact.strip():
        raise ValueError("must be a URL or an e-mail address, so that registries can reach you")
    return contact.strip()


def _stage(stage: str) -> str:
    if stage and not re.fullmatch(r"[a-z][a-z0-9]{0,11}", stage):
        raise ValueError(
            f"is {stage!r}; a stage has at most 12 lower-case letters and digits, such as staging"
        )
    return stage


def require_backup_target(target: str) -> str:
    """Return a folder or `s3://bucket/prefix` without a slash at its end.

    Raises:
        ValueError: it is neither.
    """
    scheme, has_scheme, rest = target.partition("://")
    if has_scheme and (scheme != "s3" or not rest.partition("/")[0]):
        raise ValueError(f"is {target!r}; a backup goes to a folder or to s3://bucket/prefix")
    return target.rstrip("/") or target


def _role_arn(arn: str) -> str:
    if not re.fullmatch(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+", arn):
        raise ValueError(f"is {arn!r}; the ARN of a role is such as arn:aws:iam::123456789012:role/backups")
    return arn


Entries = BeforeValidator(_split)
BackupTarget = Annotated[str, AfterValidator(require_backup_target)]
Contact = Annotated[str, AfterValidator(_contact)]
Origin = Annotated[str, AfterValidator(require_origin)]
BrowserOrigin = Annotated[str, AfterValidator(require_browser_origin)]
RoleArn = Annotated[str, AfterValidator(_role_arn)]
Stage = Annotated[str, AfterValidator(_stage)]
TokenHash = Annotated[str, AfterValidator(_token_hash)]
Secret = Annotated[SecretStr | None, AfterValidator(_secret)]
