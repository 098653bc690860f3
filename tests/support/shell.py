"""Blocks of the documentation, run in an empty folder as a reader would run them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def blocks_of(page: str) -> list[str]:
    """Return the shell blocks of a page, in their order."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def shell(
    script: str, folder: Path, environment: dict[str, str], *, timeout_s: float = 110
) -> subprocess.CompletedProcess[str]:
    """Run a block in a folder, with the commands of this environment in the PATH."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    (folder / ".venv/bin").mkdir(parents=True, exist_ok=True)
    (folder / ".venv/bin/activate").write_text("")
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={"PATH": path, "HOME": str(folder), "LANG": "C.UTF-8", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
    )
