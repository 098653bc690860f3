"""The bootstrap's way with files; what it does to a box is rehearsed in tests/host."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.release import HOST_FILES

UNITS = Path("etc/systemd/system")
OURS = sorted((HOST_FILES / "files" / UNITS).glob("community-metrics-*.service"))
SHARED = HOST_FILES / "shared"
JOBS = ("community-metrics-weekly-refresh", "community-metrics-catch-up", "community-metrics-job-")
FACTS: dict[str, Any] = {
    "region": "eu-central-1",
    "topic": "arn:aws:sns:eu-central-1:123456789012:alarms",
    "environment": {"CM_STORAGE_MODE": "enterprise"},
    "secrets": {"api": {"CM_LANCEDB_URI_SECRET": "community-metrics/lancedb-uri"}},
}


@pytest.fixture
def bootstrap(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The program, imported as it runs: with the files beside it."""
    monkeypatch.syspath_prepend(str(HOST_FILES))
    for name in ("bootstrap", "edge"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return __import__("bootstrap")


def test_a_tree_is_laid_with_its_modes_and_only_once(bootstrap: Any, tmp_path: Path) -> None:
    tree, root = tmp_path / "tree", tmp_path / "root"
    (tree / "usr/local/sbin").mkdir(parents=True)
    (tree / "usr/local/sbin/program").write_text("#!/bin/sh\n")
    (tree / "usr/local/sbin/program").chmod(0o755)

    assert bootstrap.copy_tree(tree, root)
    assert (root / "usr/local/sbin/program").stat().st_mode & 0o777 == 0o755
    assert not bootstrap.copy_tree(tree, root)


@pytest.mark.parametrize("change", ["content", "mode"])
def test_what_somebody_changed_is_laid_anew(bootstrap: Any, tmp_path: Path, change: str) -> None:
    path = tmp_path / "file"
    bootstrap.write(path, b"ours")
    if change == "content":
        path.write_bytes(b"theirs")
    else:
        path.chmod(0o600)

    assert bootstrap.write(path, b"ours")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"ours", 0o644)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("database", "is_bucket"), [("", False), ("s3://bucket/lancedb", True)])
def test_the_way_to_the_metadata_is_opened_for_a_bucket_alone(
    bootstrap: Any, tmp_path: Path, database: str, is_bucket: bool
) -> None:
    release = Path(str(HOST_FILES.parent))
    facts = {**FACTS, "environment": {"CM_DB_PATH": database}}

    trees = bootstrap.Installation(release, facts).trees()

    assert [tree.name for tree in trees] == (["files", "files-s3"] if is_bucket else ["files"])


@pytest.mark.parametrize("unit", OURS, ids=lambda unit: unit.name)
def test_every_program_of_ours_is_in_the_one_sandbox(unit: Path) -> None:
    assert (unit.with_name(f"{unit.name}.d") / "10-sandbox.conf").resolve() == SHARED / "sandbox.conf"


@pytest.mark.parametrize("unit", JOBS)
def test_whoever_starts_a_job_it_is_the_same_one(unit: str) -> None:
    for tree, name in (("files", "20-job.conf"), ("files-s3", "30-s3.conf")):
        drop_in = HOST_FILES / tree / UNITS / f"{unit}.service.d" / name
        assert drop_in.resolve() == SHARED / f"{name[3:]}"


def test_each_tree_is_in_the_release() -> None:
    assert {path.name for path in HOST_FILES.iterdir()} >= {"files", "files-s3"}


def test_the_step_that_fails_is_named_in_the_last_line(tmp_path: Path) -> None:
    (tmp_path / "deployment.json").write_text("{}")
    program = tmp_path / "host" / "bootstrap.py"
    program.parent.mkdir()
    program.write_text((HOST_FILES / "bootstrap.py").read_text())
    (tmp_path / "host" / "edge.py").write_text("PACKAGES = ()\nprepare = start = lambda _: []\n")

    ended = subprocess.run(
        [sys.executable, program, tmp_path, tmp_path / "deployment.json"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert ended.stdout.splitlines()[0] == "== packages"
    assert ended.stdout.splitlines()[-1].startswith("bootstrap, packages: ")
