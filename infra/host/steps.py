"""Helpers for the bootstrap steps: run a command with a time limit, call systemctl, write a file.

Used by `bootstrap.py` and the modules of its steps, in the same folder.
"""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

COMMAND_LIMIT_S = 600  # a command that hangs must fail before CloudFormation's 20 minutes end
JOURNAL_LINES = "20"
# at first boot the image may be installing its own updates
APT_LOCK = ("-o", "DPkg::Lock::Timeout=300")


class StepError(Exception):
    """A bootstrap step failed; the message says what to do."""


def run(*command: str) -> None:
    """Run a command, and kill it with its children at the time limit.

    Raises:
        subprocess.CalledProcessError: the command fails.
        StepError: the command reaches the time limit.
    """
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with subprocess.Popen(command, env=environment, process_group=0) as process:
        try:
            process.wait(timeout=COMMAND_LIMIT_S)
        except subprocess.TimeoutExpired:
            # a surviving child would keep our output open, and first_boot.py waiting
            os.killpg(process.pid, signal.SIGKILL)
            raise StepError(f"timeout after {COMMAND_LIMIT_S} s: {' '.join(command)}") from None
        except KeyboardInterrupt:  # Ctrl-C does not reach another process group
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, command)


def warn(text: str) -> None:
    """Print a problem that does not fail the boot; first_boot.py copies the line to the boot log."""
    print(f"warning: {' '.join(text.split())}", flush=True)


def systemctl(verb: str, *units: str) -> None:
    """Run `systemctl VERB UNITS`; on failure, print each unit's journal and raise StepError."""
    try:
        run("systemctl", verb, *units)
    except (subprocess.CalledProcessError, StepError):
        for unit in units:
            show_journal(unit)
        raise StepError(f"systemctl {verb} {' '.join(units)} failed; the journal is above") from None


def show_journal(unit: str) -> None:
    """Print the last lines of a unit's journal."""
    run("journalctl", "--no-pager", "--output=cat", f"--lines={JOURNAL_LINES}", f"--unit={unit}")


def write(path: Path, content: bytes, mode: int = 0o644) -> bool:
    """Replace a file atomically if its content or mode differs; return whether it differed."""
    if path.is_file() and path.read_bytes() == content and path.stat().st_mode & 0o777 == mode:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(path.name + ".new")
    scratch.write_bytes(content)
    scratch.chmod(mode)
    scratch.rename(path)
    return True
