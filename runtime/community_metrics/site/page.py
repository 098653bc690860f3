"""Where the built page is."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from community_metrics.errors import ConfigurationError

STATIC: Final = "static"
"""The folder, in that of the built page, of the build that needs no server."""
_CLONE: Final = Path(__file__).parents[3] / "frontend" / "dist"


def static_page(given: Path | None = None) -> Path:
    """Return the folder of the page that needs no server: in the given build, else in that of this clone.

    Raises:
        ConfigurationError: the page is not built there.
    """
    folder = (given or _CLONE) / STATIC
    if not (folder / "index.html").is_file():
        raise ConfigurationError(
            f"{folder} has no built page. Fix: run `make frontend` in a clone, and name its frontend/dist "
            "with --page."
        )
    return folder
