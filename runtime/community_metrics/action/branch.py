"""Backups in a branch of a git repository: one commit, which each run replaces."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Final

from community_metrics.errors import BackupUnavailable

if TYPE_CHECKING:
    from pathlib import Path

_NAME: Final = "community-metrics"
_AUTHOR: Final = ("-c", f"user.name={_NAME}", "-c", f"user.email={_NAME}@users.noreply.github.com")
_LIMIT_S: Final = 600
_NOT_FOUND: Final = 2


class BranchStore:
    """The branch of a repository, copied into a folder; git has its credentials from the environment."""

    def __init__(self, remote: str, branch: str, folder: Path) -> None:
        self.name = f"the branch {branch} of {remote}"
        self._remote = remote
        self._branch = branch
        self._folder = folder
        self._known = folder / ".git" / "community-metrics-known"

    def fetch(self) -> bool:
        """Copy the branch into the folder; return False if the repository has no such branch.

        Raises:
            BackupUnavailable: the repository cannot be read.
        """
        commit = self._remote_commit()
        if commit is None:
            self._git("init", "--quiet", str(self._folder), cwd=self._folder.parent)
        else:
            words = ("--quiet", "--depth", "1", "--single-branch", "--branch", self._branch)
            self._git("clone", *words, self._remote, str(self._folder), cwd=self._folder.parent)
            commit = self._git("rev-parse", "HEAD").strip()
        self._known.write_text(commit or "", encoding="utf-8")
        return commit is not None

    @property
    def target(self) -> str:
        """The folder of the backups in the copy."""
        return str(self._folder / "backups")

    def keep(self) -> None:
        """Replace the branch by one commit with the folder, unless somebody changed it since `fetch`.

        Raises:
            BackupUnavailable: the repository cannot be written, or the branch was changed since.
        """
        known = self._known.read_text(encoding="utf-8")
        self._git("checkout", "--quiet", "--orphan", "community-metrics-new")
        self._git("add", "--all")
        self._git(*_AUTHOR, "commit", "--quiet", "--message", "Back up the database of community-metrics")
        ref = f"refs/heads/{self._branch}"
        self._git("push", "--quiet", f"--force-with-lease={ref}:{known}", self._remote, f"HEAD:{ref}")

    def _remote_commit(self) -> str | None:
        words = ("ls-remote", "--exit-code", "--heads", self._remote, f"refs/heads/{self._branch}")
        done = self._run(*words, cwd=self._folder.parent)
        if done.returncode == _NOT_FOUND:
            return None
        return self._output(done, words).split()[0]

    def _git(self, *words: str, cwd: Path | None = None) -> str:
        return self._output(self._run(*words, cwd=cwd or self._folder), words)

    def _output(self, done: subprocess.CompletedProcess[str], words: tuple[str, ...]) -> str:
        if done.returncode != 0:
            raise BackupUnavailable(
                f"`git {words[0]}` failed for the branch {self._branch} of {self._remote}: "
                f"{done.stderr.strip()}. The branch is as it was. Fix: let the job write contents "
                "(`permissions: contents: write`), and let one job at a time write it (`concurrency`)."
            )
        return done.stdout

    def _run(self, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(  # noqa: S603  the words are ours and the inputs of the team's workflow
                ["git", *words],  # noqa: S607  the runner's own git
                cwd=cwd,
                check=False,
                capture_output=True,
                text=True,
                timeout=_LIMIT_S,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BackupUnavailable(f"git could not run: {error}. Fix: install git on the runner.") from error
