"""A pseudo-terminal that types one answer to each prompt."""

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

PROMPT = b"): "  # the end of every prompt of `secrets put`


def typed(
    command: Sequence[str], answers: Sequence[str], environment: dict[str, str], timeout_s: float = 60
) -> tuple[int, str]:
    """Run the command on a new terminal; return its exit code and the text on the terminal."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        command,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  sets the controlling terminal
    )
    os.close(slave)
    shown = _answer_prompts(master, list(answers), time.monotonic() + timeout_s)
    os.close(master)
    return process.wait(timeout=10), shown.decode()


def _answer_prompts(master: int, answers: list[str], deadline: float) -> bytes:
    shown = b""
    answered = 0
    while time.monotonic() < deadline:
        if not select.select([master], [], [], 0.2)[0]:
            continue
        try:
            shown += os.read(master, 4096)
        except OSError:  # the program has ended
            return shown
        if shown.count(PROMPT) > answered and answers:
            answered += 1
            time.sleep(0.1)  # the prompt is printed before echo is switched off
            os.write(master, answers.pop(0).encode() + b"\n")
    raise AssertionError(f"the program did not end:\n{shown.decode()}")
