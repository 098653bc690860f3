"""`community-metrics` in a process of its own that begins where its imports are done.

Each command imports the same modules, for a second or more of a CPU. The fork server of `multiprocessing`
imports them once, and each process is a fork of it. It imports no lancedb, whose threads a fork would lose:
a command that opens a database does so in its own process. What a real start adds, the interpreter's options
and the imports themselves, is tested by programs that begin with `python`.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PROGRAM: Final = "community_metrics.cli.main"
PRELOADED: Final = (
    PROGRAM,
    "community_metrics.api.mappers",
    "community_metrics.cli.jobs",
    "community_metrics.cli.output",
    "community_metrics.views.insights",
    "lance_namespace",  # what takes longest of `import lancedb`: the models of its REST API, and no thread
)
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([*PRELOADED, __name__])


class Forked:
    """A process that runs the `main` of a module, as a `Popen` of `python -m module` does."""

    def __init__(
        self, module: str, words: Sequence[str], folder: Path, environment: Mapping[str, str]
    ) -> None:
        self._words = [module, *words]
        self._scratch = TemporaryDirectory()
        self._outputs = [Path(self._scratch.name, name) for name in ("stdout", "stderr")]
        arguments = (self._words, folder, dict(environment), self._outputs)
        self._process = _CONTEXT.Process(target=_main, args=arguments)
        self._process.start()

    @property
    def returncode(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def kill(self) -> None:
        """Send it a SIGKILL."""
        self._process.kill()

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait until it ends, and return its output; a process that does not end in time is killed."""
        with self._scratch:
            self._process.join(timeout)
            if self._process.exitcode is None:
                self.kill()
                self._process.join()
                raise subprocess.TimeoutExpired(self._words, timeout or 0)
            out, err = (path.read_text(encoding="utf-8") for path in self._outputs)
        return out, err


def run_program(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], *, timeout_s: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run a command of the program in a folder with an environment, and return its code and output."""
    process = Forked(PROGRAM, words, folder, environment)
    out, err = process.communicate(timeout_s)
    assert process.returncode is not None
    return subprocess.CompletedProcess(list(words), process.returncode, out, err)


def _main(words: list[str], folder: Path, environment: dict[str, str], outputs: list[Path]) -> None:
    assert "lancedb" not in sys.modules, "the fork server must not import lancedb"
    for descriptor, path in enumerate(outputs, start=1):
        with path.open("wb") as file:
            os.dup2(file.fileno(), descriptor)
    sys.stdout, sys.stderr = (
        open(descriptor, "w", encoding="utf-8", closefd=False)  # noqa: SIM115  until the process ends
        for descriptor in (1, 2)
    )
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    module, *rest = words
    sys.argv = ["community-metrics" if module == PROGRAM else module, *rest]
    sys.exit(import_module(module).main())
