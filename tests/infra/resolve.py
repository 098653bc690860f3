"""Resolve the intrinsic functions of a template, in the account 123456789012."""

from __future__ import annotations

import re
from typing import Any

ACCOUNT = "123456789012"
_PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackId": "<this stack>",
    "AWS::NoValue": None,
}


def resolve(value: Any) -> Any:  # noqa: PLR0911  one for each intrinsic function
    """Return the value with joins and the account resolved; a reference is `<Name>` or `<Name.Attribute>`."""
    if isinstance(value, list):
        return [resolve(item) for item in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Ref": name}:
            return _PSEUDO.get(name, f"<{_bare(name)}>")
        case {"Fn::GetAtt": [str() as name, "Arn"]} if "BackupReader" in name:
            return f"arn:aws:iam::{ACCOUNT}:role/{_bare(name)}"  # a setting, which must be the ARN of a role
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{_bare(name)}.{attribute}>"
        case {"Fn::Join": [separator, parts]}:
            return separator.join(str(resolve(part)) for part in parts)
        case {"Fn::Sub": str() as text}:
            return text.replace("${AWS::AccountId}", ACCOUNT)
    return {key: resolve(item) for key, item in value.items()}


def _bare(logical_id: str) -> str:
    return re.sub(r"[0-9A-F]{8}([0-9a-f]{16})?$", "", logical_id)


def statements(role: dict[str, Any]) -> dict[str, tuple[list[str], list[str], Any]]:
    """Return a role's inline statements by their Sid: actions, resources, condition."""
    found = {}
    for policy in resolve(role["Properties"].get("Policies", [])):
        for statement in policy["PolicyDocument"]["Statement"]:
            assert statement["Effect"] == ("Deny" if statement["Sid"].startswith("Deny") else "Allow")
            found[statement["Sid"]] = (
                _list(statement["Action"]),
                _list(statement["Resource"]),
                statement.get("Condition"),
            )
    return found


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
