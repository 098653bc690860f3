"""Names in `*.gemspec` and `*.csproj`."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from community_metrics.discovery.model import Found, Refused
from community_metrics.discovery.places import line_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from xml.etree.ElementTree import Element

_GEM_NAME: Final = re.compile(r"^\s*\w+\.name\s*=\s*(?P<value>.*?)\s*$", re.MULTILINE)
_STRING: Final = re.compile(r"""(?P<quote>["'])(?P<text>[^"']*)(?P=quote)(?:\.freeze)?\s*(?:#.*)?""")
_PUSH_HOST: Final = re.compile(r"""["']allowed_push_host["']\]?\s*(?:=>|=)\s*["'](?P<host>[^"']*)["']""")
_GEMS: Final = "rubygems"  # the part of the host's name
_NO: Final = "false"


def read_gemspec(_path: str, text: str) -> list[Found | Refused]:
    """Return the name of a gem, if it is written as a string: a gemspec is a program."""
    written = _GEM_NAME.search(text)
    if written is None:
        return [Refused("it has no name")]
    line = text.count("\n", 0, written.start("value")) + 1
    string = _STRING.fullmatch(written["value"])
    if string is None:
        return [Refused(f"its name is dynamic: {written['value'][:80]}", line=line)]
    host = _PUSH_HOST.search(text)
    if host is not None and _GEMS not in re.split(r"[./]", host["host"]):
        return [
            Refused(f"it is published elsewhere: allowed_push_host is {host['host']}", string["text"], line)
        ]
    return [Found("rubygems", string["text"], line)]


def read_csproj(path: str, text: str) -> list[Found | Refused]:
    """Return the `PackageId` of a project; without one NuGet would take a name that stands nowhere."""
    try:
        properties = _properties(fromstring(text))
    except DefusedXmlException:
        return [Refused("it declares entities of XML, which are not read")]
    except (ParseError, ValueError) as error:
        return [Refused(f"it is not valid XML: {error}")]
    name, line = properties.get("PackageId"), line_of(text, r"<PackageId\b")
    if properties.get("IsPackable", "").lower() == _NO:
        return [Refused("it is private: IsPackable is false", name, line or line_of(text, r"<IsPackable\b"))]
    if name is None:
        guess = PurePosixPath(path).stem
        return [Refused(f"it has no PackageId; if it is published, its name may be {guess}")]
    return [Found("nuget", name, line)]


def _properties(project: Element) -> Mapping[str, str]:
    """Return the properties of all groups, without the namespace that older projects have."""
    found: dict[str, str] = {}
    for group in project:
        if _local(group.tag) == "PropertyGroup":
            found |= {_local(one.tag): (one.text or "").strip() for one in group if (one.text or "").strip()}
    return found


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
