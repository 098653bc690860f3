"""Whether a person can answer a prompt, and the options that answer it where nobody can."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from community_metrics.cli.render.style import open_consoles
from community_metrics.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping


def require_answers(missing: Mapping[str, str]) -> None:
    """Raise a ConfigurationError unless a terminal can be asked what is missing: its meaning, by option."""
    if missing and not (sys.stdin.isatty() and open_consoles()[1].is_terminal):
        raise ConfigurationError(
            "Answers are missing, and there is no terminal to ask. Fix: add these options:",
            [f"{option}: {meaning}" for option, meaning in missing.items()],
        )
