"""How the bootstrap copies files and reports failures; tests/host runs it on a host."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.release import HOST_FILES

UNITS = Path("etc/systemd/system")
OURS = sorted((HOST_FILES / "files" / UNITS).glob("community-metrics-*.service"))
SHARED = HOST_FILES / "shared"
JOBS = (
    "community-metrics-daily-refresh",
    "community-metrics-weekly-refresh",
    "community-metrics-catch-up",
    "community-metrics-job-",
)
FACTS: dict[str, Any] = {
    "region": "eu-central-1",
    "topic": "arn:aws:sns:eu-central-1:123456789012:alarms",
    "environment": {"CM_STORAGE_MODE": "enterprise"},
    "secrets": {"api": {"CM_LANCEDB_URI_SECRET": "community-metrics/lancedb-uri"}},
}


@pytest.fixture
def bootstrap(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The program, imported with the modules of its folder."""
    monkeypatch.syspath_prepend(str(HOST_FILES))
    for name in ("bootstrap", "edge", "keys", "readiness", "session_manager", "steps"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return __import__("bootstrap")


def test_a_tree_is_copied_with_its_modes_and_only_once(bootstrap: Any, tmp_path: Path) -> None:
    tree, root = tmp_path / "tree", tmp_path / "root"
    (tree / "usr/local/sbin").mkdir(parents=True)
    (tree / "usr/local/sbin/program").write_text("#!/bin/sh\n")
    (tree / "usr/local/sbin/program").chmod(0o755)

    assert bootstrap.copy_tree(tree, root)
    assert (root / "usr/local/sbin/program").stat().st_mode & 0o777 == 0o755
    assert not bootstrap.copy_tree(tree, root)


@pytest.mark.parametrize("change", ["content", "mode"])
def test_a_changed_file_is_written_again(bootstrap: Any, tmp_path: Path, change: str) -> None:
    path = tmp_path / "file"
    bootstrap.steps.write(path, b"ours")
    if change == "content":
        path.write_bytes(b"theirs")
    else:
        path.chmod(0o600)

    assert bootstrap.steps.write(path, b"ours")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"ours", 0o644)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("database", "is_bucket"), [("", False), ("s3://bucket/lancedb", True)])
def test_only_a_bucket_opens_access_to_the_metadata_service(
    bootstrap: Any, tmp_path: Path, database: str, is_bucket: bool
) -> None:
    release = Path(str(HOST_FILES.parent))
    facts = {**FACTS, "environment": {"CM_DB_PATH": database}}

    trees = bootstrap.Installation(release, facts).trees()

    assert [tree.name for tree in trees] == (["files", "files-s3"] if is_bucket else ["files"])


@pytest.mark.parametrize(
    ("fact", "added"),
    [({"ses": False}, ["files-delivery"]), ({"ses": True}, ["files-delivery", "files-ses"])],
    ids=["webhooks or SMTP", "SES"],
)
def test_deliveries_add_their_units_and_ses_opens_the_metadata_service_to_them(
    bootstrap: Any, fact: dict[str, bool], added: list[str]
) -> None:
    installation = bootstrap.Installation(HOST_FILES.parent, {**FACTS, "delivery": fact})
    plain = bootstrap.Installation(HOST_FILES.parent, FACTS)

    assert [tree.name for tree in installation.trees()] == ["files", *added]
    assert set(installation._installable()) - set(plain._installable()) == {"community-metrics-deliver.timer"}


def test_backups_add_their_units(bootstrap: Any) -> None:
    backups = {"environment": {"CM_BACKUP_TARGET": "s3://bucket/backups"}}
    installation = bootstrap.Installation(HOST_FILES.parent, FACTS | backups)
    plain = bootstrap.Installation(HOST_FILES.parent, FACTS)

    assert [tree.name for tree in installation.trees()] == ["files", "files-backup"]
    assert set(installation._installable()) - set(plain._installable()) == {
        "community-metrics-restore-drill.timer"
    }


def test_the_steps_come_in_this_order(bootstrap: Any) -> None:
    steps = [name for name, _ in bootstrap.Installation(HOST_FILES.parent, FACTS).steps()]

    assert steps == [
        "packages",
        "session manager",  # early, so that a person can look at a boot that fails later
        "virtual environment",  # complete before anything refers to it
        "files",
        "users",  # after the file that lists them
        "settings",
        "link",
        "edge settings",
        "security updates",  # after the file that limits them; before the services start
        "certbot",
        "units",  # after the link: they run what it points at
        "secrets",  # before the API, which reads them
        "keys",  # before the API: a rejected key ends the boot with its reason
        "api",
        "sshd",
        "journal",
        "updates",
        "certificate",  # before nginx, which reads it
        "nginx",  # after the API answers
        "logs",
        "tables",  # storage is not ready without them
        "ready",  # before the signal, which moves the address to this host
        "timers",  # last: a job needs all of the above
    ]


def test_every_unit_file_is_listed() -> None:
    assert len(OURS) >= 8


@pytest.mark.parametrize("unit", OURS, ids=lambda unit: unit.name)
def test_every_unit_has_the_same_sandbox(unit: Path) -> None:
    assert (unit.with_name(f"{unit.name}.d") / "10-sandbox.conf").resolve() == SHARED / "sandbox.conf"


@pytest.mark.parametrize("unit", JOBS)
def test_every_way_to_start_a_job_has_the_same_settings(unit: str) -> None:
    for tree, name in (("files", "20-job.conf"), ("files-s3", "30-s3.conf")):
        drop_in = HOST_FILES / tree / UNITS / f"{unit}.service.d" / name
        assert drop_in.resolve() == SHARED / f"{name[3:]}"


def test_each_tree_is_in_the_release() -> None:
    assert {path.name for path in HOST_FILES.iterdir()} >= {
        "files",
        "files-s3",
        "files-backup",
        "files-delivery",
        "files-ses",
    }


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A release with the program, and a PATH without the commands that it calls."""
    (tmp_path / "host").mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / "deployment.json").write_text("{}")
    for name in ("bootstrap.py", "keys.py", "readiness.py", "session_manager.py"):
        shutil.copy(HOST_FILES / name, tmp_path / "host")
    steps = (HOST_FILES / "steps.py").read_text().replace("COMMAND_LIMIT_S = 600", "COMMAND_LIMIT_S = 1")
    (tmp_path / "host" / "steps.py").write_text(steps)
    (tmp_path / "host" / "edge.py").write_text("PACKAGES = ()\nprepare = start = lambda _: []\n")
    return tmp_path


def installed(release: Path) -> list[str]:
    """Run the program, which fails, and return what it printed."""
    ended = subprocess.run(
        [sys.executable, release / "host" / "bootstrap.py", release, release / "deployment.json"],
        env={"PATH": str(release / "bin")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,  # as first_boot.py reads it
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    return ended.stdout.splitlines()


def add_command(release: Path, name: str, script: str) -> None:
    """Add a command to the PATH of the release."""
    program = release / "bin" / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_the_last_line_names_the_step_that_fails(release: Path) -> None:
    lines = installed(release)

    assert lines[0] == "== packages"
    assert lines[-1].startswith("bootstrap, packages: ")


def test_the_last_line_names_the_command_that_fails(release: Path) -> None:
    add_command(release, "dpkg-query", "exit 1")
    add_command(release, "apt-get", "exit 7")

    assert installed(release)[-1] == "bootstrap, packages: apt-get exited with 7; its output is above"


def test_a_command_that_hangs_is_killed_with_its_children_and_named(release: Path) -> None:
    add_command(release, "dpkg-query", "exit 1")
    add_command(release, "apt-get", "/bin/sleep 300 & wait")

    assert installed(release)[-1].startswith("bootstrap, packages: timeout after 1 s: apt-get -o ")


@pytest.mark.parametrize(
    ("path", "content", "last"),
    [
        ("deployment.json", "{", "bootstrap, configuration: JSONDecodeError: "),
        (
            "host/edge.py",
            "PACKAGES = (None,)\nprepare = start = lambda _: []\n",
            "bootstrap, packages: TypeE",
        ),
    ],
    ids=["configuration", "bug"],
)
def test_the_last_line_names_the_step_of_any_exception(
    release: Path, path: str, content: str, last: str
) -> None:
    (release / path).write_text(content)
    add_command(release, "dpkg-query", "printf installed")
    lines = installed(release)

    assert lines[-1].startswith(last)
    assert any("Traceback" in line for line in lines)


RECORDER = 'echo "$(basename "$0") $*" >> "$RECORD"'


def test_pip_installs_only_what_the_lock_has_a_hash_of(release: Path) -> None:
    home = release / "home"
    program = (release / "host" / "bootstrap.py").read_text(encoding="utf-8")
    (release / "host" / "bootstrap.py").write_text(
        program.replace('Path("/opt/community-metrics")', f"Path({str(home)!r})"), encoding="utf-8"
    )
    (release / "ours-1.0-py3-none-any.whl").touch()
    bin_ = home / "venvs" / release.name / "bin"
    add_command(release, "recorder", RECORDER)
    # the virtual environment, whose commands record what they are called with
    made = [f"cp {release / 'bin' / 'recorder'} {bin_}/{name}" for name in ("pip", "community-metrics")]
    add_command(release, "python3", "; ".join([RECORDER, f"mkdir -p {bin_}", *made]))
    call = "import bootstrap, pathlib; bootstrap.Installation(pathlib.Path({!r}), {{}}).install_release()"
    calls = release / "calls"
    subprocess.run(
        [sys.executable, "-c", call.format(str(release))],
        cwd=release / "host",
        env={"PATH": f"{release / 'bin'}:/usr/bin:/bin", "RECORD": str(calls)},
        check=True,
        timeout=60,
    )

    pip = "pip install --no-cache-dir --disable-pip-version-check"
    assert calls.read_text(encoding="utf-8").splitlines() == [
        f"python3 -m venv --clear {bin_.parent}",
        f"{pip} --require-hashes --only-binary=:all: -r {release / 'requirements.lock'}",
        f"{pip} --no-deps --no-index {release / 'ours-1.0-py3-none-any.whl'}",
        "community-metrics --help",
    ]
    assert (bin_.parent / ".installed").exists()
