"""Check that an origin is written as browsers send it."""

from __future__ import annotations

import re

from pydantic_core import Url

# a URL may have a comma or a quote in its host; a name in DNS has none, and commas separate CM_CORS_ORIGINS
_ORIGIN = re.compile(r"https://([a-z0-9._-]+|\[[0-9a-f:]+\])(:[1-9][0-9]*)?")


def require_https_origin(origin: str) -> None:
    """Raise ValueError unless browsers send exactly this origin."""
    if "*" in origin:
        raise ValueError(f"{origin!r} would allow every website to read the API; list exact origins")
    if "@" in origin:  # not in the message: the part before the @ may contain a password
        raise ValueError(
            "an origin must not contain a user, a password or '@'; use https://metrics.example.org"
        )
    sent = _as_browsers_send(origin)
    if origin != sent:
        fix = f"; write {sent}" if sent else ""
        raise ValueError(
            f"{origin!r} is not an origin such as https://metrics.example.org as browsers send it "
            f"(https, host in ASCII and lower case, no path, no :443){fix}"
        )


def _as_browsers_send(origin: str) -> str | None:
    """Return the origin as browsers write it, None if it cannot be one.

    The runtime checks `CM_CORS_ORIGINS` by the same standard; `test_settings.py` compares the two.
    """
    try:
        sent = str(Url(origin)).removesuffix("/")  # pydantic parses URLs by the standard of the browsers
    except ValueError:
        return None
    return sent if _ORIGIN.fullmatch(sent) else None
