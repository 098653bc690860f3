"""The folder of a site: replaced whole, and never with files of somebody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from community_metrics.errors import ConfigurationError
from community_metrics.site.folder import MARKER, mark, new_folder
from community_metrics.site.paths import dashboard_paths, file_stem
from tests.support.clock import NOON

if TYPE_CHECKING:
    from pathlib import Path


def write(target: Path, **files: str) -> None:
    with new_folder(target) as folder:
        for name, text in files.items():
            (folder / name).write_text(text)
        mark(folder, {"as_of": "2026-11-23T12:00:00Z"})


def write_half(target: Path) -> None:
    with new_folder(target) as folder:
        (folder / "new").write_text("2")
        raise RuntimeError("half")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_site_replaces_an_earlier_one_with_nothing_left_of_it(tmp_path: Path) -> None:
    write(tmp_path / "site", old="1")
    write(tmp_path / "site", new="2")
    assert names(tmp_path / "site") == [MARKER, "new"]
    assert names(tmp_path) == ["site"]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    write(tmp_path / "site", page="1")
    assert names(tmp_path / "site") == [MARKER, "page"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "site")
    write(tmp_path / "link", page="1")
    assert (tmp_path / "link").is_symlink()
    assert names(tmp_path / "site") == [MARKER, "page"]


def test_a_failure_leaves_the_earlier_site(tmp_path: Path) -> None:
    write(tmp_path / "site", old="1")
    with pytest.raises(RuntimeError, match="half"):
        write_half(tmp_path / "site")
    assert names(tmp_path / "site") == [MARKER, "old"]
    assert names(tmp_path) == ["site"]


@pytest.mark.parametrize("own", [True, False], ids=["in a site", "in another folder"])
def test_a_folder_with_files_of_somebody_else_is_refused(tmp_path: Path, own: bool) -> None:
    target = tmp_path / "site"
    if own:
        write(target, page="1")
    else:
        target.mkdir()
    (target / "CNAME").write_text("metrics.example.org")
    with pytest.raises(ConfigurationError, match="CNAME") as refused:
        write(target, page="2")
    assert "Nothing was changed. Fix:" in str(refused.value)
    assert (target / "CNAME").read_text() == "metrics.example.org"


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "site").write_text("mine")
    with pytest.raises(ConfigurationError, match="is a file"):
        write(tmp_path / "site", page="1")


def test_a_marker_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / MARKER).write_text("[]")
    with pytest.raises(ConfigurationError, match="is not what"):
        write(tmp_path, page="1")


def test_the_page_gets_the_whole_history_within_the_limits_of_the_api() -> None:
    day = NOON.date()
    found = dict(dashboard_paths("stars:a:github", day.replace(year=2000), day))
    metric = "metric_id=stars%3Aa%3Agithub"
    assert found[f"/dashboard/daily?{metric}"] == f"/dashboard/daily?days=3660&{metric}"
    assert found[f"/dashboard/monthly?{metric}"] == f"/dashboard/monthly?months=120&{metric}"
    assert dict(dashboard_paths("a", day, day))["/dashboard/weekly?metric_id=a"].startswith(
        "/dashboard/weekly?weeks=1&"
    )


def test_no_two_metrics_have_one_file() -> None:
    assert file_stem("downloads:lance:python") == "downloads~lance~python"
    assert file_stem("downloads_30d:a.b-c:d") == "downloads_30d~a.b-c~d"
