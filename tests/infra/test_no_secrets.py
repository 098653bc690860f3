"""secretlint finds no credential in the working tree, nor in any commit."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.infra.node import ROOT, node_environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRETLINT = ROOT / "node_modules" / ".bin" / "secretlint"
# fake keys in the format of AWS and GitHub, concatenated so that this file contains none
PLANTED = {
    "AWS": "AWS_SECRET_ACCESS_KEY = " + "wJalrXUtnFEMIK7MDENG" + "bPxRfiCYq83hTzWs5uLk",
    "GitHub": "token = ghp_" + "aB3dE5gH7jK9mN1pQ3sT" + "5vX7zA9cE1gI3kM5",
}


def scan(folder: Path) -> subprocess.CompletedProcess[str]:
    assert SECRETLINT.exists(), "run `make node_modules/.installed` first"
    return subprocess.run(
        [str(SECRETLINT), "--secretlintrc", str(ROOT / ".secretlintrc.json"), f"{folder}/**/*"],
        cwd=folder,
        env=node_environment(),
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True).stdout


def blobs() -> Iterator[tuple[str, bytes]]:
    """Return the content of every blob in the git repository."""
    raw = git("cat-file", "--batch-all-objects", "--batch")
    at = 0
    while at < len(raw):
        end = raw.index(b"\n", at)
        object_id, kind, size = raw[at:end].decode().split()
        content = raw[end + 1 : end + 1 + int(size)]
        at = end + 2 + int(size)
        if kind == "blob":
            yield f"{object_id}.txt", content


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """A folder with every version of every committed file."""
    if subprocess.run(["git", "rev-parse"], cwd=ROOT, capture_output=True, check=False).returncode != 0:
        pytest.skip("not a git repository, so there is no history to scan")
    for object_id, content in blobs():
        (tmp_path / object_id).write_bytes(content)
    return tmp_path


def test_no_version_of_any_file_contains_a_credential(history: Path) -> None:
    for name in git("ls-files").decode().splitlines():
        path = ROOT / name
        if path.is_file():
            (history / f"now-{name.replace('/', '--')}").write_bytes(path.read_bytes())

    done = scan(history)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("kind", PLANTED)
def test_a_credential_is_found(tmp_path: Path, kind: str) -> None:
    (tmp_path / "settings.txt").write_text(f"{PLANTED[kind]}\n", encoding="utf-8")

    assert scan(tmp_path).returncode == 1
