"""Check the catalogue of a deployment with the rules of the product."""

from __future__ import annotations

import os
import subprocess
import sys
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def catalog_errors(catalog: Path | None) -> list[str]:
    """Return every fault of a catalogue file; None has none, because the packaged one is tested.

    The product checks it in a process of its own: the infrastructure does not import the product.
    """
    if catalog is None:
        return []
    if not catalog.is_file():
        return [f"catalog is {str(catalog)!r}, which is not a file"]
    # neither the settings of this shell nor a `.env` file belong to the deployment
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CM_")}
    with TemporaryDirectory() as empty:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "community_metrics", "catalog", "check"],
            cwd=empty,
            env={**inherited, "CM_CATALOG": str(catalog)},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode == 0:
        return []
    return [f"catalog: {done.stderr.strip().removeprefix('Error: ')}"]
