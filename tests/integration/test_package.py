"""The wheel and the sdist as users install them: complete, small, and at once useful.

`make release-check` runs this file with the folder of the built ones in PACKAGE_FOLDER.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.metadata import version
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.installed import ROOT, UV, Installed, build, clean_environment, versions_here

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = ROOT / "runtime/community_metrics"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
pytestmark = pytest.mark.timeout(400)
"""Where uv's cache has not all packages, they are downloaded."""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with the built wheel and sdist."""
    given = os.environ.get("PACKAGE_FOLDER")
    return ROOT / given if given else build(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def wheel(package: Path) -> Path:
    (file,) = package.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def sdist(package: Path) -> Path:
    (file,) = package.glob("*.tar.gz")
    return file


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed.from_file(tmp_path_factory.mktemp("installed"), wheel)


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_files_are_of_the_version_that_pyproject_names(wheel: Path, sdist: Path) -> None:
    stem = f"community_metrics-{PROJECT['version']}"
    assert (wheel.name, sdist.name) == (f"{stem}-py3-none-any.whl", f"{stem}.tar.gz")
    assert version("community-metrics") == PROJECT["version"]


def test_an_index_would_accept_both_files(wheel: Path, sdist: Path) -> None:
    command = [sys.executable, "-m", "twine", "--no-color", "check", "--strict", str(wheel), str(sdist)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("PASSED") == 2


def test_the_wheel_has_each_file_of_the_dashboard(wheel: Path) -> None:
    found = contents(wheel)
    page = {path for path in PACKAGE.glob("dashboard*/**/*") if path.is_file()}
    assert PACKAGE / "dashboard" / "index.html" in page
    assert PACKAGE / "dashboard_static" / "index.html" in page
    for path in page:
        assert found[f"community_metrics/{path.relative_to(PACKAGE)}"] == path.read_bytes()


def test_no_link_of_the_package_page_is_relative(wheel: Path) -> None:
    (metadata,) = [text.decode() for name, text in contents(wheel).items() if name.endswith("/METADATA")]
    links = re.findall(r"\]\(([^)]+)\)", metadata.partition("\n\n")[2])
    assert len(links) > 10
    assert [link for link in links if not link.startswith("https://")] == []


def test_a_wheel_built_from_the_sdist_is_the_same(wheel: Path, sdist: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (again,) = build(tmp_path / "dist", tmp_path / sdist.name.removesuffix(".tar.gz")).glob("*.whl")
    assert contents(again) == contents(wheel)


def test_a_second_build_has_the_same_bytes(wheel: Path, sdist: Path, tmp_path: Path) -> None:
    build(tmp_path)
    for file in (wheel, sdist):
        assert (tmp_path / file.name).read_bytes() == file.read_bytes()


def test_the_demo_of_an_installed_wheel_shows_numbers(installed: Installed) -> None:
    """Look at the page, its script and its numbers, as a browser would."""
    with installed.serving("demo") as (origin, lines), httpx.Client(timeout=60) as client:
        assert f"The dashboard is at {origin}/\n" in lines
        page = client.get(f"{origin}/")
        (script,) = re.findall(r'src="(/assets/index-[^"]+\.js)"', page.text)
        built = PACKAGE / "dashboard" / script.lstrip("/")
        assert client.get(f"{origin}{script}").content == built.read_bytes()
        weekly = client.get(f"{origin}/api/v1/dashboard/weekly?weeks=4").json()
    assert weekly["freshness"]["sample"] is True
    assert any(value for value in weekly["products"][0]["metrics"][0]["points"]["value"])


def test_an_sdist_installs(sdist: Path, tmp_path: Path) -> None:
    """What it installs is the wheel's, as the wheel that is built from it is the same."""
    done = Installed.from_file(tmp_path, sdist).run("community-metrics", "--version")
    assert done.stdout.strip() == PROJECT["version"], done.stderr


def test_an_installation_without_the_dashboard_says_so_and_serves_the_api(installed: Installed) -> None:
    (page,) = installed.folder.glob("venv/lib/python*/site-packages/community_metrics/dashboard")
    aside = page.rename(installed.folder / "aside")
    try:
        with installed.serving("serve") as (origin, lines), httpx.Client(timeout=60) as client:
            assert client.get(f"{origin}/api/v1/health").json() == {"status": "ok"}
            assert client.get(f"{origin}/").headers["location"].endswith("api/v1/docs")
    finally:
        aside.rename(page)
    assert any(line.startswith("! This installation has no dashboard") for line in lines)


def test_the_package_is_a_program_by_its_name_and_by_python(installed: Installed, wheel: Path) -> None:
    by_uvx = [UV, "tool", "run", "--quiet", "--python", sys.executable, "--from", str(wheel)]
    by_uvx += ["--constraints", str(versions_here(installed.folder)), "community-metrics", "--version"]
    outputs = [
        installed.run("community-metrics", "--version"),
        installed.run("python", "-m", "community_metrics", "--version"),
        subprocess.run(
            by_uvx, env=clean_environment(), capture_output=True, text=True, check=False, timeout=240
        ),
    ]
    assert [done.stdout.strip() for done in outputs] == [PROJECT["version"]] * 3, outputs


IMPORT_ALL = """
import importlib, pkgutil, community_metrics
modules = pkgutil.walk_packages(community_metrics.__path__, "community_metrics.", onerror=lambda name: None)
for found in modules:
    try:
        importlib.import_module(found.name)
    except ModuleNotFoundError as error:
        print(found.name, error.name)
"""
NEED_AN_EXTRA = {
    "community_metrics.aws": "boto3",
    "community_metrics.backup.bucket": "boto3",
    "community_metrics.delivery.ses": "boto3",
    "community_metrics.host": "boto3",
    "community_metrics.mcp_server": "mcp",
    "community_metrics.digest.powerpoint": "pptx",
    "community_metrics.digest.powerpoint_charts": "pptx",
}
"""What may miss a package that the base installation leaves out: for AWS, assistants, and slides."""


def test_without_extras_every_module_can_be_imported_but_those_of_extras(
    installed: Installed,
) -> None:
    done = installed.run("python", "-c", IMPORT_ALL)
    assert done.returncode == 0, done.stderr
    missing = dict(line.split() for line in done.stdout.splitlines())
    named = set(missing.values())
    assert {"boto3", "mcp", "pptx"} <= named <= {"boto3", "botocore", "mangum", "mcp", "pptx"}
    stray = [name for name in missing if not name.startswith(tuple(NEED_AN_EXTRA))]
    assert stray == []


@pytest.mark.parametrize(
    ("command", "what"),
    [
        (["backup", "s3://bucket/prefix"], "A backup in a bucket"),
        (["secrets", "put"], "Secrets Manager"),
        (["digest", "--format", "pptx"], "--format pptx"),
        (["sql", "SELECT 1"], "`sql`"),
        (["mcp"], "`mcp`"),
    ],
)
def test_what_needs_an_extra_says_how_to_install_it(
    installed: Installed, command: list[str], what: str
) -> None:
    done = installed.run("community-metrics", *command)
    assert done.returncode == 2, done.stdout + done.stderr
    assert re.search(
        rf"Error: {re.escape(what)} needs the extra (\w+)\. Fix: pip install 'community-metrics\[\1\]'",
        done.stderr,
    )
