"""Every command of the runbook and of the host's page that is typed on the box is run there, and ends with 0.

What is typed on a laptop is run by tests/integration/test_runbook.py.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from tests.host.ledger import Ledger
from tests.host.waiting import eventually
from tests.support.runbook import BOX, Block, blocks

if TYPE_CHECKING:
    from tests.host.box import Box
    from tests.host.world import World

COMMAND_S = 150
FIRST_RUN_S = 120


@pytest.fixture(scope="module")
def used(world: World, box: Box) -> Box:
    """The shared box after its first run."""
    eventually(lambda: assert_ended(Ledger(world)), FIRST_RUN_S)
    return box


def assert_ended(ledger: Ledger) -> None:
    assert ledger.runs()[0].run.finished_at is not None


@pytest.mark.parametrize("block", [block for block in blocks() if block.place == BOX], ids=str)
def test_a_block_of_the_box_works_on_the_box(used: Box, block: Block) -> None:
    for command in block.commands:
        done = used.run(f"bash -c {shlex.quote(command)}", limit_s=COMMAND_S)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
