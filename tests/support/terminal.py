"""A program on a terminal of its own, and a person who reads what it shows and types answers."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import termios
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

_PATIENCE_S = 90.0


class Terminal:
    """Runs a program; `answer` waits until its text is shown, then types."""

    def __init__(self, words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self.shown = ""
        self._screen, theirs = pty.openpty()
        self._program = subprocess.Popen(
            words, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._program.kill()
        self._program.wait()
        os.close(self._screen)

    def answer(self, question: str, text: str, *, is_hidden: bool = False) -> None:
        """Type `text` and the return key once `question` is shown, after what was answered before.

        Before a hidden answer the program discards what was typed, and then switches the echo off.
        """
        start, deadline = len(self.shown), time.monotonic() + _PATIENCE_S
        while question not in self.shown[start:] or (is_hidden and self._echoes()):
            if time.monotonic() > deadline or not self._read():
                raise AssertionError(f"{question!r} was not asked; shown was:\n{self.shown}")
        os.write(self._screen, f"{text}\n".encode())

    def end(self) -> int:
        """Return the exit code, once the program has ended."""
        deadline = time.monotonic() + _PATIENCE_S
        while self._read() and time.monotonic() < deadline:
            pass
        return self._program.wait(_PATIENCE_S)

    def _echoes(self) -> bool:
        local_modes: int = termios.tcgetattr(self._screen)[3]
        return bool(local_modes & termios.ECHO)

    def _read(self) -> bool:
        """Take what is shown within a tenth of a second; False at the end."""
        if select.select([self._screen], [], [], 0.1)[0]:
            try:
                part = os.read(self._screen, 65_536)
            except OSError:  # the end of a terminal on Linux
                return False
            self.shown += part.decode(errors="replace")
            return bool(part)
        return True
