from __future__ import annotations

import subprocess
import sys

import pytest

from infra.diff_comment import LONGEST, comment
from tests.infra.node import ROOT

GITHUB_LIMIT = 65_536


def block(text: str) -> str:
    """Return the text of the code block in a comment."""
    return text.partition("```\n")[2].rpartition("\n```")[0]


def test_the_difference_is_the_block_of_the_comment() -> None:
    text = comment("Stack community-metrics-host\n[~] AWS::EC2::Instance Host replace\n")

    assert text.startswith("### What a deploy of this pull request would change\n")
    assert block(text) == "Stack community-metrics-host\n[~] AWS::EC2::Instance Host replace"


def test_colours_and_the_account_are_not_in_a_comment() -> None:
    shown = comment("\x1b[32mrole/cdk-deploy-role-123456789012-eu-central-1\x1b[39m at 1234567890123")

    assert block(shown) == "role/cdk-deploy-role-<account>-eu-central-1 at 1234567890123"


@pytest.mark.parametrize("length", [LONGEST, LONGEST + 1, 3 * LONGEST])
def test_a_comment_is_within_the_limit_of_github_and_says_when_it_is_cut(length: int) -> None:
    text = comment("x" * length)

    assert len(text) < GITHUB_LIMIT
    assert ("too long for a comment" in text) is (length > LONGEST)


def test_a_fence_in_the_difference_does_not_end_the_block() -> None:
    lines = comment("a\n```\n# heading\n````\nb").splitlines()

    assert lines[2] == lines[-1] == "`````"


def test_the_program_reads_stdin() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "infra.diff_comment"],
        cwd=ROOT, input="There were no differences\n", capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip

    assert block(done.stdout) == "There were no differences"
