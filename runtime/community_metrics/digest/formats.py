"""The formats of a digest, by name."""

from __future__ import annotations

from enum import StrEnum
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from community_metrics.digest.deck import deck_of
from community_metrics.digest.email import email_of
from community_metrics.digest.json import json_of
from community_metrics.digest.markdown import markdown_of
from community_metrics.digest.plain import text_of
from community_metrics.digest.slack import slack_of
from community_metrics.errors import ExtraMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from community_metrics.model.digest_content import Digest


class Format(StrEnum):
    """The name of a format."""

    TEXT = "text"
    MARKDOWN = "markdown"
    SLACK = "slack"
    HTML = "html"
    PPTX = "pptx"
    EMAIL = "email"
    JSON = "json"

    @property
    def is_text(self) -> bool:
        """Whether it can be printed: PowerPoint is a zip."""
        return self is not Format.PPTX


_RENDERERS: Final[Mapping[Format, Callable[[Digest], str]]] = {
    Format.TEXT: text_of,
    Format.MARKDOWN: markdown_of,
    Format.SLACK: slack_of,
    Format.HTML: deck_of,
    Format.EMAIL: email_of,
    Format.JSON: json_of,
}
_EXTRA: Final = "deck"
_MODULES: Final = ("pptx", "xlsxwriter")
"""What the extra installs."""


def rendered(digest: Digest, form: Format) -> str:
    """Return a digest in a format of text: the same for the same digest, whenever it is called.

    Raises:
        KeyError: the format is no text; `written` returns its bytes.
    """
    return _RENDERERS[form](digest)


def written(digest: Digest, form: Format) -> bytes:
    """Return a digest in any format, as the bytes of a file: the same for the same digest.

    Raises:
        ExtraMissing: the packages that write the format are not installed.
    """
    if form.is_text:
        return rendered(digest, form).encode()
    require_installed(form)
    from community_metrics.digest.powerpoint import powerpoint_of  # noqa: PLC0415  only the extra has its imports

    return powerpoint_of(digest)


def require_installed(form: Format) -> None:
    """Check that the packages of a format are installed, before anything is read or stored for it.

    Raises:
        ExtraMissing: they are not.
    """
    if not form.is_text and any(find_spec(name) is None for name in _MODULES):
        raise ExtraMissing(f"--format {form}", _EXTRA)
