"""The read API: what is stored, over HTTP, with no way to write."""

from __future__ import annotations
