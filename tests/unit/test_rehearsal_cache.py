"""The cache of the host's rehearsal: keyed by content, never trusted when stale or half made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.host.cache import cached, made_since

if TYPE_CHECKING:
    from pathlib import Path

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


class Kitchen:
    """Makes folders, and counts them."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, path: Path) -> None:
        self.made += 1
        (path / "dish").write_text(str(self.made), encoding="utf-8")


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.fixture
def kitchen() -> Kitchen:
    return Kitchen()


def test_what_was_made_of_the_same_is_made_once(kitchen: Kitchen) -> None:
    paths = {cached("tree", ["a", "b"], kitchen, MONDAY) for _ in range(3)}

    assert (len(paths), kitchen.made) == (1, 1)


@pytest.mark.parametrize("other", [["a", "c"], ["ab"], ["b", "a"], []])
def test_another_ingredient_is_another_folder_and_the_old_one_goes(
    kitchen: Kitchen, other: list[str]
) -> None:
    old = cached("tree", ["a", "b"], kitchen, MONDAY)

    new = cached("tree", other, kitchen, MONDAY)

    assert (new / "dish").read_text(encoding="utf-8") == "2"
    assert not old.exists()


def test_in_another_week_it_is_made_anew(kitchen: Kitchen) -> None:
    old = cached("tree", ["a"], kitchen, MONDAY + timedelta(days=6))

    new = cached("tree", ["a"], kitchen, MONDAY + timedelta(days=7))

    assert new != old
    assert kitchen.made == 2


def test_another_kind_is_left_alone(kitchen: Kitchen) -> None:
    tree = cached("tree", ["a"], kitchen, MONDAY)

    cached("wheels", ["a"], kitchen, MONDAY)

    assert tree.exists()


def test_what_was_not_finished_is_never_used(kitchen: Kitchen) -> None:
    def killed(path: Path) -> None:
        (path / "dish").write_text("half", encoding="utf-8")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached("tree", ["a"], killed, MONDAY)

    whole = cached("tree", ["a"], kitchen, MONDAY)
    assert [path.name for path in whole.iterdir()] == ["dish"]
    assert (whole / "dish").read_text(encoding="utf-8") == "1"


def test_it_knows_what_had_to_be_made(kitchen: Kitchen) -> None:
    began = datetime.now(UTC).timestamp() - 1
    path = cached("tree", ["a"], kitchen, MONDAY)

    assert made_since(began) == [path.name]
    assert made_since(began + 60) == []
