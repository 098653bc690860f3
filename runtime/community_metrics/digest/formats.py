"""The formats of a digest, by name."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from community_metrics.digest.deck import deck_of
from community_metrics.digest.email import email_of
from community_metrics.digest.json import json_of
from community_metrics.digest.markdown import markdown_of
from community_metrics.digest.plain import text_of
from community_metrics.digest.slack import slack_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from community_metrics.model.digest_content import Digest


class Format(StrEnum):
    """The name of a format."""

    TEXT = "text"
    MARKDOWN = "markdown"
    SLACK = "slack"
    HTML = "html"
    EMAIL = "email"
    JSON = "json"


_RENDERERS: Final[Mapping[Format, Callable[[Digest], str]]] = {
    Format.TEXT: text_of,
    Format.MARKDOWN: markdown_of,
    Format.SLACK: slack_of,
    Format.HTML: deck_of,
    Format.EMAIL: email_of,
    Format.JSON: json_of,
}


def rendered(digest: Digest, form: Format) -> str:
    """Return a digest in a format: the same text for the same digest, whenever it is called."""
    return _RENDERERS[form](digest)
