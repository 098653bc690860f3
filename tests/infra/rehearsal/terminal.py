"""A terminal with a person at it, who types one answer for each question."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import subprocess
import termios
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

QUESTION = b"): "  # how every question of `secrets put` ends


def typed(
    command: Sequence[str], answers: Sequence[str], environment: dict[str, str], timeout_s: float = 60
) -> tuple[int, str]:
    """Run the command on a terminal of its own; return its exit code and all that the terminal showed."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        command,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  a terminal must be taken
    )
    os.close(slave)
    shown = _converse(master, list(answers), time.monotonic() + timeout_s)
    os.close(master)
    return process.wait(timeout=10), shown.decode()


def _converse(master: int, answers: list[str], deadline: float) -> bytes:
    shown = b""
    asked = 0
    while time.monotonic() < deadline:
        if not select.select([master], [], [], 0.2)[0]:
            continue
        try:
            shown += os.read(master, 4096)
        except OSError:  # the program ended and closed its side
            return shown
        if shown.count(QUESTION) > asked and answers:
            asked += 1
            time.sleep(0.1)  # the question is printed before the echo is switched off
            os.write(master, answers.pop(0).encode() + b"\n")
    raise AssertionError(f"the program did not end:\n{shown.decode()}")
