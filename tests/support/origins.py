"""Origins that a key may be sent to, and origins that it may not: one table for everything that sends one."""

from __future__ import annotations

KEEP_SECRETS = (
    "https://lance.internal",
    "https://lance.internal:8443",
    "https://203.0.113.7",
    "https://[2001:db8::7]:8443",
    "HTTPS://Lance.internal",
    "http://127.0.0.1",
    "http://127.0.0.1:8080",
    "http://127.255.255.254:8080",
    "http://[::1]:8080",
    "http://localhost:8080",
    "http://LocalHost",
)
"""Encrypted, or on this machine."""
LEAK_SECRETS = (
    "http://lance.internal",
    "http://lance.internal:443",
    "HTTP://lance.internal",
    "http://203.0.113.7:8080",
    "http://10.0.0.7",
    "http://128.0.0.1",
    "http://0.0.0.0:8080",
    "http://127.1",
    "http://2130706433",
    "http://[2001:db8::7]",
    "http://[::]:8080",
    "http://[::ffff:127.0.0.1]",
    "http://localhost.example.org",
    "http://127.0.0.1.example.org",
    "http://lance.localhost",
)
"""In the clear over a network, or to a name or a spelling that may lead to one."""
AS_BROWSERS_SEND = (
    "https://metrics.example.org",
    "https://metrics.example.org:8443",
    "https://metrics.example.org:80",
    "https://xn--bcher-kva.example",
    "https://my_app.example.org",
    "https://203.0.113.7",
    "https://[2001:db8::7]:8443",
)
"""Origins of pages, as their browsers write them in the header `Origin`."""
NOT_AS_BROWSERS_SEND = {
    "https://Metrics.example.org": "https://metrics.example.org",
    "HTTPS://metrics.example.org": "https://metrics.example.org",
    "https://metrics.example.org:443": "https://metrics.example.org",
    "https://metrics.example.org:08443": "https://metrics.example.org:8443",
    "https://bücher.example": "https://xn--bcher-kva.example",
    "https://BÜCHER.example": "https://xn--bcher-kva.example",
    "https://例え.example": "https://xn--r8jz45g.example",
    "https://ex%41mple.org": "https://example.org",
    "https://\uff11\uff12.example.org": "https://12.example.org",
    "https://soft\u00adhyphen.example.org": "https://softhyphen.example.org",
    "https://127.1": "https://127.0.0.1",
    "https://0x7f000001": "https://127.0.0.1",
    "https://[2001:DB8::7]": "https://[2001:db8::7]",
    "https://[2001:db8:0:0::7]": "https://[2001:db8::7]",
}
"""Other spellings of such origins, which would never match, and what the browsers send instead."""
NO_ORIGINS = (
    "",
    "*",
    "null",
    "https://",
    "https://*.example.org",
    "https://example.org/",
    "https://example.org/path",
    "https://example.org?",
    "https://example.org#",
    "https://example.org:",
    "https://example.org:0",
    "https://example.org:65536",
    "https://user@example.org",
    "https://a b.example.org",
    "https://a\tb.example.org",
    'https://a"b.example.org',
    "https://a;b.example.org",
    "https://a^b.example.org",
    "https://1.2.3.4.5",
    "https://xn--a.example",
    "https://[::1",
    "https:example.org",
    "https:\\\\example.org",
    "//example.org",
    "example.org",
    "ftp://example.org",
    "file://",
    "chrome-extension://abcdefghijklmnop",
)
"""Texts that are no origin of a page."""
