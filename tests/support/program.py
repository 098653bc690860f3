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
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PRELOADED: Final = (
    "community_metrics.api.mappers",
    "community_metrics.cli.jobs",
    "community_metrics.cli.main",
    "community_metrics.cli.output",
    "community_metrics.views.insights",
    "lance_namespace",  # what takes longest of `import lancedb`: the models of its REST API, and no thread
)
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([*PRELOADED, __name__])


def run_program(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], *, timeout_s: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run a command of the program in a folder with an environment, and return its code and output."""
    with TemporaryDirectory() as scratch:
        outputs = Path(scratch, "stdout"), Path(scratch, "stderr")
        process = _CONTEXT.Process(target=_main, args=(list(words), folder, dict(environment), outputs))
        process.start()
        try:
            process.join(timeout_s)
            if process.exitcode is None:
                raise subprocess.TimeoutExpired(list(words), timeout_s)
        finally:
            process.kill()
            process.join()
        out, err = (path.read_text(encoding="utf-8") for path in outputs)
        return subprocess.CompletedProcess(list(words), process.exitcode, out, err)


def _main(words: list[str], folder: Path, environment: dict[str, str], outputs: tuple[Path, Path]) -> None:
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
    sys.argv = ["community-metrics", *words]
    from community_metrics.cli.main import main  # noqa: PLC0415  the server has it; this process's tests may not

    main()
