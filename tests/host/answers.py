"""Helpers to read responses of nginx."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

HEALTH, DEFINITIONS, WEEKLY = "/api/v1/health", "/api/v1/definitions", "/api/v1/dashboard/weekly?weeks=5"
PAGE = "https://metrics.example.org"


def problem_of(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body.get("request_id") in {None, answer.headers["x-request-id"]}
    return answer.status_code, body["type"].rpartition("#")[2]
