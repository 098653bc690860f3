"""From boot to a verified answer and to the first week's rows, without a hand on it; and what that changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.host.deployment import API_HOST

if TYPE_CHECKING:
    from tests.host.box import Box
    from tests.host.world import World


def test_the_boot_signals_success(world: World, box: Box) -> None:
    assert [sent["Status"] for sent in world.aws.signals] == ["SUCCESS"]


def test_the_box_asks_as_its_role_by_imdsv2_alone(world: World, box: Box) -> None:
    asked = [(path, status) for client, path, status in world.imds.asked if client == box.address]

    assert ("/latest/api/token", 200) in asked
    assert 401 not in {status for _, status in asked}
