"""Every command of the runbook and of the host's page that is typed on the box is run there, and works.

What is typed on a laptop is run by tests/integration/test_runbook.py.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from tests.support.runbook import BOX, Block, blocks

if TYPE_CHECKING:
    from tests.host.box import Box

COMMAND_S = 150
MAY_FAIL = " || true"
FOUND_SOMETHING = 1
CLOSED_EARLY = 141  # `head` has seen enough, and what is before it is told by a signal


@pytest.mark.parametrize("block", [block for block in blocks() if block.place == BOX], ids=str)
def test_a_block_of_the_box_works_on_the_box(box: Box, block: Block) -> None:
    for command in block.commands:
        shown = command.removesuffix(MAY_FAIL)
        done = box.run(f"bash -o pipefail -c {shlex.quote(shown)}", limit_s=COMMAND_S)
        assert done.returncode in codes(command), f"{command}\n{done.stdout}{done.stderr}"
        assert "command not found" not in done.stderr  # sudo says so, and ends with 1


def codes(command: str) -> set[int]:
    """Return the exit codes with which a command has worked."""
    told = {0, FOUND_SOMETHING} if command.endswith(MAY_FAIL) else {0}
    return told | {CLOSED_EARLY} if "| head" in command else told
