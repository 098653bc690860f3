"""Every command of the operator documentation is tested; the commands for a laptop are run here.

Commands that need AWS or the CDK are run by the tests in `ELSEWHERE`.
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
from tests.support.runbook import HOST, LAPTOP, PAGES, ROOT, Block, blocks

REHEARSALS = ("tests/infra/test_rehearsal.py", "tests/infra/test_moves.py", "tests/infra/test_deploy.py")
FIND_HOST = (
    "host=$(aws cloudformation describe-stacks --stack-name community-metrics-host "
    "--query \"Stacks[0].Outputs[?OutputKey=='InstanceId'].OutputValue\" --output text)"
)
# command: the test that runs it
ELSEWHERE = {
    # a session itself needs AWS
    FIND_HOST: "test_the_output_that_a_log_in_reads_is_the_id_of_the_instance",
    'aws ssm start-session --target "$host"': "test_the_output_that_a_log_in_reads_is_the_id_of_the_instance",
    "community-metrics secrets put --region eu-central-1": "test_secrets_put_stores_and_hides_the_secrets",
    "npx cdk diff": "test_an_unchanged_tree_has_an_empty_diff",
    "make deploy": "test_the_functions_run_the_image_that_the_deploy_built",
    "aws ec2 describe-instance-status --include-all-instances --query 'InstanceStatuses[].[InstanceId,"
    "InstanceState.Name,SystemStatus.Status,InstanceStatus.Status]' --output text": (
        "test_the_status_checks_of_the_host_can_be_read"
    ),
    "make replace-host": "test_one_command_replaces_the_instance_by_the_same_one",
    # for the CLI, an older release is another tree, like a newer one
    "git checkout HEAD~1": "test_a_new_release_replaces_only_the_instance",
}
TEXT = "".join((ROOT / page).read_text(encoding="utf-8") for page in PAGES)
RUN_HERE = [
    block for block in blocks() if block.place == LAPTOP and not set(block.commands) <= ELSEWHERE.keys()
]


def test_every_block_has_the_place_where_it_runs() -> None:
    fences = re.findall(r"^ *```(.*)$", TEXT, re.MULTILINE)

    assert [block for block in blocks() if block.place not in {HOST, LAPTOP}] == []
    assert fences.count("") == len(blocks()) + 2  # the closing fences, and one diagram
    assert len(fences) == 2 * len(blocks()) + 2


def test_every_inline_command_is_also_in_a_block() -> None:
    shown = "\n".join(block.text for block in blocks())
    inline = re.findall(r"`((?:sudo|cm-job|systemctl|systemd-\w+|journalctl|npx|ps|df) [^`]*)`", TEXT)

    assert inline
    assert [command for command in inline if command not in shown] == []


def test_every_command_that_runs_elsewhere_is_documented_and_tested() -> None:
    shown = {command for block in blocks() if block.place == LAPTOP for command in block.commands}
    tests = "".join((ROOT / path).read_text(encoding="utf-8") for path in REHEARSALS)

    assert set(ELSEWHERE) - shown == set()
    assert [name for name in ELSEWHERE.values() if f"def {name}(" not in tests] == []


@pytest.mark.parametrize("block", RUN_HERE, ids=str)
def test_a_laptop_block_works(tmp_path: Path, block: Block) -> None:
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
            input=f"{WRITE_KEY}\n",  # the pasted key
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )

    assert done.returncode == 0, done.stdout + done.stderr
    runs = [job for job in ("bootstrap_tables", "seed_from_csv", "update_all") if job in done.stdout]
    assert len(runs) == 3
    assert WRITE_KEY not in done.stdout + done.stderr
