"""The API and the jobs in AWS Lambda, with their secrets from Secrets Manager."""

from __future__ import annotations
