"""What the steps of the bootstrap are made of: commands that end, units whose journal is shown, whole files.

Used by `bootstrap.py` and `edge.py`, the files beside this one.
"""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

COMMAND_LIMIT_S = 600  # what hangs must say so before CloudFormation's 20 minutes are over
SAID_LINES = "20"  # of a unit's journal, into the boot log


class StepError(Exception):
    """A step did not reach what it is for; the text says what mends it."""


def run(*command: str) -> None:
    """Run a command whose failure ends the bootstrap; one that hangs is ended with all its children."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with subprocess.Popen(command, env=environment, process_group=0) as process:
        try:
            process.wait(timeout=COMMAND_LIMIT_S)
        except subprocess.TimeoutExpired:
            # a child that lived on would hold our output open, and with it first_boot.py
            os.killpg(process.pid, signal.SIGKILL)
            raise StepError(f"no end in {COMMAND_LIMIT_S} s: {' '.join(command)}") from None
        except KeyboardInterrupt:  # by hand: a group of its own does not hear Ctrl-C
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, command)


def start(*units: str, verb: str = "start") -> None:
    """Start units, or tell them otherwise; where that fails, their own words go to the boot log first."""
    try:
        run("systemctl", verb, *units)
    except (subprocess.CalledProcessError, StepError):
        for unit in units:
            show_journal(unit)
        raise StepError(f"{', '.join(units)} did not {verb}; the journal is above") from None


def show_journal(unit: str) -> None:
    """Print the last lines of a unit's journal."""
    run("journalctl", "--no-pager", "--output=cat", f"--lines={SAID_LINES}", f"--unit={unit}")


def write(path: Path, content: bytes, mode: int = 0o644) -> bool:
    """Replace a file in one step where it differs; say whether it did."""
    if path.is_file() and path.read_bytes() == content and path.stat().st_mode & 0o777 == mode:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(path.name + ".new")
    scratch.write_bytes(content)
    scratch.chmod(mode)
    scratch.rename(path)
    return True
