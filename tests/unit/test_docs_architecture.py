"""docs/architecture.md names the layers of the import contract, in its order, and every folder there is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def documented_layers() -> list[set[str]]:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.+?`) \|", page, re.MULTILINE)
    return [set(re.findall(r"`(\w+)`", row)) for row in rows]


def contract_layers() -> list[set[str]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (layers,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    return [set(layer.split(" | ")) for layer in layers]


def test_the_page_shows_the_layers_of_the_contract() -> None:
    assert documented_layers() == contract_layers()


def test_the_contract_has_every_folder_and_module() -> None:
    package = ROOT / "runtime/community_metrics"
    found = {
        path.stem for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert set().union(*contract_layers()) == found - {"__init__"}
