"""Template snapshots: `python -m tests.infra.snapshots` writes them; review the diff."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.infra.node import ROOT, node_environment

FOLDER = Path(__file__).parent / "snapshots"
FLAVOURS = ("smallest", "fullest", "serverless-s3")
# the instance's logical id and its IPv6 address end in a digest of what replaces the instance
_GENERATION = re.compile(r"(Host[0-9A-F]{8})[0-9a-f]{16}")
_ADDRESS = re.compile(r"(::)[0-9a-f]{4}:[0-9a-f]{4}\b")
_BOOT = re.compile(r"(<<'END_OF_BOOT'\\n).*?(END_OF_BOOT\\n)", re.DOTALL)


def snapshot(assembly: Path) -> str:
    """Return every template of an assembly as one text, with digests replaced."""
    templates: dict[str, Any] = {
        path.name: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(assembly.glob("*.template.json"))
    }
    text = json.dumps(templates, indent=1, sort_keys=True)
    text = _GENERATION.sub(r"\1<generation>", text)
    text = _ADDRESS.sub(r"\1<generation>", text)
    return _BOOT.sub(r"\1<first_boot.py>\2", text) + "\n"


def main() -> None:
    """Write the snapshot of each flavour."""
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "tests.infra.synth", scratch, *FLAVOURS]
        subprocess.run(command, cwd=ROOT, env=node_environment(), check=True)
        for name in FLAVOURS:
            (FOLDER / f"{name}.json").write_text(snapshot(Path(scratch) / name), encoding="utf-8")


if __name__ == "__main__":
    main()
