"""Every command of the pages for operators is run by something; what is typed on a laptop is run here.

Commands that need AWS or the CDK are run by the tests named in `ELSEWHERE`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.enterprise import WRITE_KEY, Enterprise, serving
from tests.support.registry import Registry
from tests.support.replay import Replay
from tests.support.runbook import BOX, LAPTOP, PAGES, ROOT, Block, blocks

REHEARSAL = "tests/infra/test_rehearsal.py"
# each with the test that runs it
ELSEWHERE = {
    "community-metrics secrets put --region eu-central-1": "test_secrets_are_put_in_without_being_shown",
    "npx cdk diff": "test_an_unchanged_tree_built_anew_changes_nothing",
    "npx cdk deploy --all": "test_a_new_release_replaces_the_box_and_nothing_else",
    # an older release is another tree to the CLI, as a newer one is
    "git checkout HEAD~1": "test_a_new_release_replaces_the_box_and_nothing_else",
}
TEXT = "".join((ROOT / page).read_text(encoding="utf-8") for page in PAGES)
TYPED_HERE = [
    block for block in blocks() if block.place == LAPTOP and not set(block.commands) <= ELSEWHERE.keys()
]


def test_every_block_says_where_it_is_typed() -> None:
    fences = re.findall(r"^ *```(.*)$", TEXT, re.MULTILINE)

    assert [block for block in blocks() if block.place not in {BOX, LAPTOP}] == []
    assert fences.count("") == len(blocks()) + 2  # the ends, and one drawing
    assert len(fences) == 2 * len(blocks()) + 2


def test_every_command_in_the_text_stands_in_a_block_too() -> None:
    shown = "\n".join(block.text for block in blocks())
    inline = re.findall(r"`((?:sudo|cm-job|systemctl|systemd-\w+|journalctl|npx|ps|df) [^`]*)`", TEXT)

    assert inline
    assert [command for command in inline if command not in shown] == []


def test_what_is_run_elsewhere_is_shown_and_its_test_is_there() -> None:
    shown = {command for block in blocks() if block.place == LAPTOP for command in block.commands}
    tests = (ROOT / REHEARSAL).read_text(encoding="utf-8")

    assert set(ELSEWHERE) - shown == set()
    assert [name for name in ELSEWHERE.values() if f"def {name}(" not in tests] == []


@pytest.mark.parametrize("block", TYPED_HERE, ids=str)
def test_a_block_of_the_laptop_works_on_a_laptop(tmp_path: Path, block: Block) -> None:
    registry = Registry(datetime.now(UTC).date())
    with serving(Enterprise(tmp_path / "cluster")) as cluster, Replay(registry) as registries:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block.text],
            cwd=tmp_path,
            env={
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "LANG": "C.UTF-8",
                "CM_LANCEDB_HOST_OVERRIDE": cluster.url,
                **registries.environment(),
            },
            input=f"{WRITE_KEY}\n",  # what is pasted
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )

    assert done.returncode == 0, done.stdout + done.stderr
    runs = [job for job in ("bootstrap_tables", "seed_from_csv", "update_all") if job in done.stdout]
    assert len(runs) == 3
    assert WRITE_KEY not in done.stdout + done.stderr
