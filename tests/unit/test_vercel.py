"""Vercel runs `ignoreCommand` before a build: exit 0 skips the build, another code starts it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VERCEL = json.loads((ROOT / "frontend/vercel.json").read_text(encoding="utf-8"))
API = {"VITE_API_BASE_URL": "https://metrics-api.example.org"}
SKIPPED = 0


@pytest.mark.parametrize(
    ("environment", "is_skipped"),
    [
        ({"VERCEL_ENV": "preview"}, True),
        ({"VERCEL_ENV": "preview", "VITE_API_BASE_URL": ""}, True),
        ({"VERCEL_ENV": "preview", **API}, False),
        ({"VERCEL_ENV": "production", **API}, False),
        (
            {"VERCEL_ENV": "production"},
            False,
        ),  # this build fails with the fix, instead of an old page that stays
    ],
    ids=str,
)
def test_a_preview_without_an_api_is_skipped_instead_of_failing(
    environment: dict[str, str], is_skipped: bool
) -> None:
    done = subprocess.run(["sh", "-c", VERCEL["ignoreCommand"]], env=environment, check=False, timeout=60)

    assert (done.returncode == SKIPPED) is is_skipped


def test_the_command_is_within_the_limit_of_vercel() -> None:
    assert len(VERCEL["ignoreCommand"]) <= 256


def test_the_page_sends_the_reader_to_the_setting_that_decides() -> None:
    page = (ROOT / "docs/vercel.md").read_text(encoding="utf-8")
    example = (ROOT / "deployment.example.toml").read_text(encoding="utf-8")

    assert "`dashboard_origins` in `deployment.toml`" in page
    assert "dashboard_origins = [" in example
