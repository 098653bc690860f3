"""The same API and the same jobs inside AWS Lambda, with their secrets from Secrets Manager."""

from __future__ import annotations
