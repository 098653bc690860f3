"""`action/run` with a runner's environment: registries, git and GitHub's releases are on loopback."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from community_metrics.action.release import ReleaseStore
from community_metrics.action.stores import BucketStore, Repository, store_of
from community_metrics.action.work import keep_in, require_nothing_of_the_team, restore_from
from community_metrics.catalog import load_catalog
from community_metrics.config import Settings
from community_metrics.errors import BackupUnavailable, ConfigurationError, NoBackup
from tests.support.action_runner import CATALOG, ROOT, a_runner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.action_runner import Runner


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    with a_runner(tmp_path) as runner:
        yield runner


@pytest.mark.timeout(400)  # a dozen programs start one after the other
def test_a_team_is_served_by_a_branch_and_never_begins_anew_by_mistake(runner: Runner) -> None:
    refused = runner.run()
    assert refused.returncode == 1, refused.stderr
    assert "the history would begin anew" in refused.stderr
    assert runner.git("branch", "--list") == ""

    first = runner.run(first=True)
    assert first.returncode == 0, first.stderr
    assert "This is the first run" in runner.files["summary"]
    (site,) = re.findall(r"^site=(.*)$", runner.files["output"], re.MULTILINE)
    index = (Path(site) / "frozen" / "index.js").read_text()
    assert '"/dashboard/weekly?weeks=1"' in index
    assert "./frozen/index.js" in (Path(site) / "index.html").read_text()
    feed = (Path(site) / "api" / "v1" / "insights.atom").read_text()
    assert 'href="https://metrics.example.org/api/v1/insights.atom"' in feed

    second = runner.run()
    assert second.returncode == 0, second.stderr
    assert "Restored the backup" in runner.files["summary"]
    assert runner.git("rev-list", "--count", "data").strip() == "1"  # the repository does not grow
    backups = {name.split("/")[1] for name in runner.git("ls-tree", "-r", "--name-only", "data").split()}
    assert len(backups) > 1
    require_documented_command(runner)
    assert "ghs_of-this-run" not in second.stdout + second.stderr + runner.files["summary"]


def require_documented_command(runner: Runner) -> None:
    """Run the command of docs/static-site.md over the database of the last job."""
    page = (ROOT / "docs" / "static-site.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    job = runner.folder / f"job-{runner.number}"
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "CM_DB_PATH": str(job / "temp" / "community-metrics" / "metrics.lancedb"),
        "CM_CATALOG": str(job / "workspace" / "catalog.toml"),
    }
    command = f"{block.strip()} --weeks 1"
    shell = ["bash", "-euc", command]
    done = subprocess.run(shell, env=environment, cwd=job, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("public has the dashboard as of ")
    assert (job / "public" / "files.html").is_file()


def calls_of_stand_ins(tmp_path: Path, code: int, **changes: str) -> list[list[str]]:
    """Run the script with programs that write down how they were called; the first refresh fails."""
    for name in ("community-metrics", "python"):
        script = f"#!/bin/sh\necho {name} $* >> {tmp_path}/calls\n[ $1 != refresh-daily ] || exit {code}\n"
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    inputs = dict.fromkeys(("CATALOG", "FIRST_RUN", "PRIVATE", "SITE", "TOKEN"), "x")
    inputs |= {"STORE": "branch:data", "PAGES": "true", "URL": ""}
    github = {"GITHUB_SERVER_URL": "x", "GITHUB_API_URL": "x", "GITHUB_REPOSITORY": "team/metrics"}
    files = {name: str(tmp_path / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    (tmp_path / "temp").mkdir()
    places = {name: str(tmp_path / "temp") for name in ("GITHUB_WORKSPACE", "RUNNER_TEMP", "HOME")}
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", **inputs, **github, **files, **places}
    done = subprocess.run(
        [ROOT / "action" / "run"],
        env=environment | changes,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == code, done.stderr
    return [line.split() for line in (tmp_path / "calls").read_text().splitlines()]


def test_what_one_job_read_is_kept_although_the_other_failed(tmp_path: Path) -> None:
    calls = calls_of_stand_ins(tmp_path, 75)
    steps = [words[3] if words[0] == "python" else words[1] for words in calls]
    assert steps == ["restore", "refresh-daily", "refresh", "keep", "site"]
    assert "--url" not in calls[-1]  # this server has no Pages that we know


@pytest.mark.parametrize(
    ("changes", "url"),
    [
        ({"GITHUB_REPOSITORY": "Team/Metrics"}, "https://team.github.io/Metrics/"),
        ({"GITHUB_REPOSITORY": "Team/team.github.io"}, "https://team.github.io/"),
        ({"URL": "https://metrics.example.org"}, "https://metrics.example.org"),
        ({"PAGES": "false"}, None),
    ],
)
def test_the_feeds_of_a_site_link_to_where_pages_publishes_it(
    tmp_path: Path, changes: dict[str, str], url: str | None
) -> None:
    site = calls_of_stand_ins(tmp_path, 0, **{"GITHUB_SERVER_URL": "https://github.com", **changes})[-1]
    assert site[3:] == ([] if url is None else ["--url", url])


def test_a_branch_of_somebody_else_is_never_replaced(runner: Runner) -> None:
    work = runner.folder / "clone"
    subprocess.run(
        ["git", "clone", "--quiet", str(runner.remote), str(work)], check=True, capture_output=True
    )
    (work / "code").write_text("of the team")
    author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (
        ["add", "."],
        [*author, "commit", "--quiet", "-m", "x"],
        ["push", "-q", "origin", "HEAD:data"],
    ):
        subprocess.run(["git", *words], cwd=work, check=True, capture_output=True)
    before = runner.git("rev-parse", "data")

    done = runner.run(first=True)

    assert done.returncode == 1
    assert "though it exists" in done.stderr
    assert runner.git("rev-parse", "data") == before


class GitHub(BaseHTTPRequestHandler):
    """The part of GitHub's API that keeps the files of a release."""

    files: dict[str, bytes]
    has_release: bool

    def do_GET(self) -> None:
        if "/assets/" in self.path:
            self._send(200, self.files[self.path.rpartition("/")[2]])
        elif type(self).has_release:
            self._send(200, self._release())
        else:
            self._send(404, b"{}")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        asked = urlsplit(self.path)
        if asked.path.endswith("/releases"):
            type(self).has_release = True
            self._send(201, self._release())
        else:
            self.files[parse_qs(asked.query)["name"][0]] = body
            self._send(201, json.dumps({"size": len(body)}).encode())

    def do_DELETE(self) -> None:
        del self.files[self.path.rpartition("/")[2]]
        self._send(204, b"")

    def _release(self) -> bytes:
        origin = f"http://{self.headers['host']}"
        assets = [
            {"name": name, "url": f"{origin}/assets/{name}", "state": "uploaded" if body else "starter"}
            for name, body in self.files.items()
        ]
        return json.dumps({"upload_url": f"{origin}/upload{{?name}}", "assets": assets}).encode()

    def _send(self, status: int, body: bytes) -> None:
        assert self.headers["authorization"] == "Bearer ghs_1"
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@contextmanager
def releases() -> Iterator[tuple[str, dict[str, bytes]]]:
    """Yield the address of an API with no release yet, and the files of the release."""
    files: dict[str, bytes] = {}
    handler = type("Handler", (GitHub,), {"files": files, "has_release": False})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", files
    finally:
        server.shutdown()
        server.server_close()


def backed_up(folder: Path, *ids: str) -> None:
    for one in ids:
        (folder / "backups" / one).mkdir(parents=True, exist_ok=True)
        (folder / "backups" / one / "file").write_text(one)


def test_a_release_keeps_the_newest_archives_and_gives_back_the_last(tmp_path: Path) -> None:
    with releases() as (api, files):
        first = ReleaseStore(api, "team/metrics", "data", "ghs_1", tmp_path / "0")
        assert not first.fetch()
        files["community-metrics-20270101T000000Z.tar"] = b""  # an upload that was cut off
        for number in range(1, 6):
            backed_up(tmp_path / "0", f"2026112{number}T000000Z")
            first.keep()
        assert [name[18:26] for name in sorted(files)] == ["20261123", "20261124", "20261125"]
        again = ReleaseStore(api, "team/metrics", "data", "ghs_1", tmp_path / "1")
        assert again.fetch()
        names = sorted(path.name for path in Path(again.target).iterdir())
    assert names[-1] == "20261125T000000Z"
    assert len(names) == 5


def test_an_api_that_does_not_answer_is_no_empty_store(tmp_path: Path) -> None:
    store = ReleaseStore("http://127.0.0.1:9", "team/metrics", "data", "ghs_1", tmp_path / "0")
    with pytest.raises(BackupUnavailable, match="GitHub did not answer"):
        store.fetch()


def test_what_only_the_team_may_see_is_in_no_branch_that_others_may_read(tmp_path: Path) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text(CATALOG)
    require_nothing_of_the_team("branch:data", load_catalog(path))
    path.write_text(CATALOG.replace('window = "1d"', 'window = "1d"\nvisibility = "team"'))
    catalog = load_catalog(path)
    require_nothing_of_the_team("s3://bucket/prefix", catalog)
    for store in ("branch:data", "release:data"):
        with pytest.raises(ConfigurationError, match=r"such as downloads:lance:python\..*`private: true`"):
            require_nothing_of_the_team(store, catalog)


def test_a_place_of_backups_is_a_store_itself(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, db_path=str(tmp_path / "database"))
    store = BucketStore(str(tmp_path / "bucket"))
    with pytest.raises(NoBackup, match="first-run"):
        restore_from(store, settings, tmp_path, is_first_run=False)
    with pytest.raises(ConfigurationError, match="restore first"):
        keep_in(store, settings, tmp_path)
    assert "first run" in restore_from(store, settings, tmp_path, is_first_run=True)


@pytest.mark.parametrize("text", ["", "data", "branch:", "release:", "ftp://a"])
def test_another_store_is_refused_with_the_known_ones(tmp_path: Path, text: str) -> None:
    repository = Repository("team/metrics", "file:///nowhere", "http://127.0.0.1:9")
    with pytest.raises(ConfigurationError, match="branch:NAME"):
        store_of(text, repository, Settings(_env_file=None), tmp_path)
