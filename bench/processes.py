"""What a process holds: its memory, and the most memory that it ever held."""

from __future__ import annotations

import os
import re
import resource
import sys
from pathlib import Path

import psutil


def memory_mb(pid: int) -> float:
    """Return the memory that a process holds now, in megabytes."""
    return float(psutil.Process(pid).memory_info().rss / 1e6)


def peak_mb(pid: int) -> float:
    """Return the most memory that a program held since it started, in megabytes.

    On a system without `/proc`, of another process only the memory that it holds now is known.
    """
    status = Path(f"/proc/{pid}/status")
    if status.exists():  # Linux's `ru_maxrss` would count what the parent held, too
        return int(re.findall(r"VmHWM:\s*(\d+) kB", status.read_text())[0]) * 1024 / 1e6
    if pid != os.getpid():
        return memory_mb(pid)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return (peak if sys.platform == "darwin" else peak * 1024) / 1e6
