"""Headers that stand on every answer, errors and 304 among them."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

STRICT_CSP: Final = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
# HSTS is nginx's to say: this process does not know whether TLS stands in front of it
SECURITY_HEADERS: Final[tuple[tuple[bytes, bytes], ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
_CSP: Final = b"content-security-policy"
_VARY: Final = b"vary"


@lru_cache(maxsize=256)  # answers from memory have the same headers again and again
def completed(headers: tuple[tuple[bytes, bytes], ...]) -> tuple[tuple[bytes, bytes], ...]:
    """Return the headers with the security headers, a policy that lets nothing run, and `Vary: Origin`.

    `Vary: Origin` also where no origin was sent: a shared cache must not hand that answer to a browser, which
    would miss its `Access-Control-Allow-Origin`.
    """
    varies = {b"origin": b"Origin"}
    kept = []
    has_policy = False
    for name, value in headers:
        if name == _VARY:
            varies.update({part.strip().lower(): part.strip() for part in value.split(b",")})
            continue
        has_policy = has_policy or name == _CSP
        kept.append((name, value))
    if not has_policy:
        kept.append((_CSP, STRICT_CSP))
    return (*kept, *SECURITY_HEADERS, (_VARY, b", ".join(varies.values())))
