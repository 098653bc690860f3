"""`make replace-host` changes one line of deployment.toml; `test_moves.py` deploys it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.replace_host import write_generation
from infra.settings import SettingsError, load_settings
from tests.infra.flavours import SERVERLESS, SMALLEST
from tests.infra.rehearsal.stage import as_toml

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    path = tmp_path / "deployment.toml"
    path.write_text(f"# ours\n{as_toml(SMALLEST)}", encoding="utf-8")
    return path


def test_the_generation_is_written_and_the_rest_of_the_file_stays(settings_file: Path) -> None:
    before = settings_file.read_text(encoding="utf-8")

    write_generation(settings_file, "one")

    assert settings_file.read_text(encoding="utf-8") == f'host_generation = "one"\n{before}'
    assert load_settings(settings_file).host_generation == "one"


def test_a_second_generation_replaces_the_first(settings_file: Path) -> None:
    before = settings_file.read_text(encoding="utf-8")

    write_generation(settings_file, "one")
    write_generation(settings_file, "two")

    assert settings_file.read_text(encoding="utf-8") == f'host_generation = "two"\n{before}'


def test_without_a_host_nothing_is_written(settings_file: Path) -> None:
    settings_file.write_text(as_toml(SERVERLESS), encoding="utf-8")

    with pytest.raises(SettingsError, match="there is no host to replace"):
        write_generation(settings_file, "one")

    assert settings_file.read_text(encoding="utf-8") == as_toml(SERVERLESS)


def test_a_missing_file_is_reported_with_the_file_to_copy(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cp deployment\.example\.toml"):
        write_generation(tmp_path / "deployment.toml", "one")
