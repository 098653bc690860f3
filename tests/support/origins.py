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
