from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.infra.snapshots import FLAVOURS, FOLDER, snapshot

if TYPE_CHECKING:
    from tests.infra.conftest import Assembly


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_the_templates_equal_the_snapshots(assemblies: dict[str, Assembly], flavour: str) -> None:
    reviewed = (FOLDER / f"{flavour}.json").read_text(encoding="utf-8")

    assert snapshot(assemblies[flavour].path) == reviewed, (
        "run `python -m tests.infra.snapshots` and read the diff"
    )
