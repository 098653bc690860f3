"""Where the built page is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from community_metrics.api.static_dashboard import packaged_dashboard
from community_metrics.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path


def static_page(given: Path | None = None) -> Path:
    """Return the folder of the page that needs no server: the given one, else that of this package.

    Raises:
        ConfigurationError: there is no built page.
    """
    folder = given or packaged_dashboard("dashboard_static")
    if folder is None:
        raise ConfigurationError(
            "This installation has no page, as on a host. Fix: install it again, from a wheel or a clone, or "
            "name the folder of a built page with --page."
        )
    if not (folder / "index.html").is_file():
        raise ConfigurationError(
            f"{folder} has no built page. Fix: run `make frontend` in a clone, and name its "
            "frontend/dist-static with --page."
        )
    return folder
