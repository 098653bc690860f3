"""One virtual machine for all tests: a real kernel with the disk after the user data, in the same world."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.host import tools
from tests.host.box import Box
from tests.host.tree import kernel_tree
from tests.host.vm.machine import Machine, make_image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.host.world import World

LONGEST_S = 1500  # without KVM a boot takes a minute, or several on a busy machine


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests if there is no emulator."""
    missing = tools.missing_for_a_vm()
    for item in (item for item in items if item.path.is_relative_to(Path(__file__).parent)):
        item.add_marker(pytest.mark.timeout(LONGEST_S))
        if missing:
            item.add_marker(pytest.mark.skip(reason=f"{', '.join(missing)} missing: `{tools.INSTALL} VM=vm`"))


@pytest.fixture(scope="session")
def machine(world: World) -> Iterator[Machine]:
    """A machine that is off, with the disk after the user data."""
    world.imds.life = timedelta(days=60)  # the machine's clock is weeks ahead
    box = Box(world, "vm", [kernel_tree()])
    try:
        box.boot()
        box.bootstrap()
        box.power_off()
        image = make_image(box.disk, world.folder)
    finally:
        box.remove()
    machine = Machine(world, image, kernel_tree() / "boot")
    yield machine
    machine.cut_power()
    machine.unplug()
