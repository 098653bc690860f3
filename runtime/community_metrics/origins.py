"""Origins: scheme, host and port, as settings name them."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from pydantic_core import Url

# a URL may have a comma or a quote in its host; a name in DNS has none, and commas separate CM_CORS_ORIGINS
_BROWSER_ORIGIN = re.compile(r"https?://([a-z0-9._-]+|\[[0-9a-f:]+\])(:[1-9][0-9]*)?")
_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


def require_origin(url: str) -> str:
    """Return the URL if it is an origin.

    Raises:
        ValueError: the URL is not an origin, or has a user or password.
    """
    if "@" in url:  # not repeated in the message: the part before the @ may be a password
        raise ValueError("an origin has no user, password or '@'. Fix: write it as https://example.org")
    try:
        parts = urlsplit(url)
        is_origin = bool(parts.hostname) and parts.port != 0 and url.partition("://")[2] == parts.netloc
    except ValueError:  # a port that is not a number up to 65535, or half an IPv6 address
        is_origin = False
    if not is_origin or parts.scheme not in {"http", "https"}:
        raise ValueError(f"{url!r} is not an origin such as https://example.org (no path, no trailing slash)")
    return url


def require_browser_origin(origin: str) -> str:
    """Return the origin if browsers send it in this spelling; origins are compared letter by letter.

    Raises:
        ValueError: the text is `*`, is not an origin, or has another spelling.
    """
    if "*" in origin:
        raise ValueError("'*' would let any page read the API. Fix: list the exact origins")
    sent = _as_browsers_send(require_origin(origin))
    if origin != sent:
        raise ValueError(
            f"{origin!r} is not what a browser sends, so it would never match. "
            f"Fix: write {sent or 'an origin such as https://example.org'}"
        )
    return origin


def _as_browsers_send(origin: str) -> str | None:
    """Return the origin as browsers write it, None if it cannot be one.

    `deployment.toml` is checked by the same standard; `test_settings.py` compares the two.
    """
    try:
        sent = str(Url(origin)).removesuffix("/")  # pydantic parses URLs by the standard of the browsers
    except ValueError:
        return None
    return sent if _BROWSER_ORIGIN.fullmatch(sent) else None


def require_secure_origin(url: str) -> str:
    """Return the origin if a key that is sent to it stays secret.

    Raises:
        ValueError: the URL is not an origin, or is `http` to another machine.
    """
    if not keeps_secrets(require_origin(url)):
        raise ValueError(
            f"{url!r} would send the key unencrypted. Fix: write https://. "
            "http:// works only for this machine (127.0.0.0/8, ::1, localhost)"
        )
    return url


def keeps_secrets(origin: str) -> bool:
    """Return whether a key that is sent to this origin is encrypted or does not leave the machine."""
    parts = urlsplit(origin)
    return parts.scheme == "https" or _is_loopback(parts.hostname or "")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:  # any other name may resolve to any machine
        return False
    return any(address in network for network in _LOOPBACK if network.version == address.version)
