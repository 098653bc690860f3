"""What `catalog add` is given: `SOURCE:SUBJECT`, the address of a page, or a file of such lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from community_metrics.errors import ConfigurationError
from community_metrics.model import REGISTRY_FAMILY, SEED_SOURCE
from community_metrics.sources.base import first_options, subject_faults
from community_metrics.suggestions import suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from community_metrics.sources.base import Source

_PAGES: Final = {
    # the part of the host's name, and the path of a page of it
    "github": (re.compile(r"/([^/]+/[^/]+?)(?:\.git)?(?:/.*)?"), "github"),
    "pypi": (re.compile(r"/project/([^/]+)(?:/.*)?"), "pypistats"),
    "pypistats": (re.compile(r"/packages/([^/]+)(?:/.*)?"), "pypistats"),
    "npmjs": (re.compile(r"/package/((?:@[^/]+/)?[^/]+)(?:/.*)?"), "npm"),
    "crates": (re.compile(r"/crates/([^/]+)(?:/.*)?"), "crates"),
    "rubygems": (re.compile(r"/gems/([^/]+)(?:/.*)?"), "rubygems"),
    "nuget": (re.compile(r"/packages/([^/]+)(?:/.*)?"), "nuget"),
    "packagist": (re.compile(r"/packages/([^/]+/[^/]+?)(?:\.json)?"), "packagist"),
    "open-vsx": (re.compile(r"/extension/([^/]+/[^/]+)(?:/.*)?"), "open-vsx"),
    "docker": (re.compile(r"/(?:r/)?([^/]+/[^/]+)(?:/.*)?"), "docker"),
    "huggingface": (re.compile(r"/((?:datasets/)?[^/]+/[^/]+)(?:/.*)?"), "huggingface"),
    "anaconda": (re.compile(r"/([^/]+/[^/]+)(?:/.*)?"), "conda"),
    "brew": (re.compile(r"/(?:formula/([^/]+)|(cask/[^/]+))"), "homebrew"),
}


def parse_spec(spec: str, sources: Mapping[str, Source]) -> tuple[Source, str]:
    """Return the source and the subject of `SOURCE:SUBJECT` or of the address of a page.

    Raises:
        ConfigurationError: there is no such source or page, or the source has no such subject.
    """
    name, _, subject = _from_page(spec).partition(":")
    if name == SEED_SOURCE:
        raise ConfigurationError(
            "A metric of seed files only must be written into the catalogue by hand, because its window "
            "depends on the files. The packaged catalogue has examples."
        )
    if name not in sources:
        of_packages = [one for one, source in sources.items() if source.family != REGISTRY_FAMILY]
        raise ConfigurationError(f"There is no source {name!r}; {suggestion(name, of_packages)}")
    if not subject:
        raise ConfigurationError(
            f"{spec!r} has no package or repository. Fix: write SOURCE:SUBJECT, like pypistats:httpx"
        )
    if faults := subject_faults(sources[name], subject, first_options(sources[name])):
        raise ConfigurationError(f"{spec} cannot be added:", faults)
    return sources[name], subject


def _from_page(spec: str) -> str:
    """Return `SOURCE:SUBJECT` for the address of a page of a registry; anything else unchanged."""
    if not re.match(r"https?://|[a-z0-9-]+(?:\.[a-z0-9-]+)+/", spec, re.IGNORECASE):
        return spec
    try:
        parts = urlsplit(spec if "://" in spec else f"https://{spec}")
    except ValueError:  # https://[half-an-address
        return spec
    for label in (parts.hostname or "").split("."):
        pattern, source = _PAGES.get(label, (None, ""))
        if pattern is not None and (found := pattern.fullmatch(unquote(parts.path))):
            return f"{source}:{found[found.lastindex or 1]}"
    raise ConfigurationError(
        f"{spec!r} is not the page of a package or repository. Fix: write SOURCE:SUBJECT, as pypistats:httpx"
    )


def specs_in(file: Path) -> list[str]:
    """Return the specs of a file, one a line; blank lines and what follows a # are left out.

    Raises:
        ConfigurationError: the file cannot be read, or has none.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The list {file} cannot be read: {error}. Fix: check --from.") from error
    specs = [spec for line in lines if (spec := re.sub(r"(^|\s)#.*", "", line).strip())]
    if not specs:
        raise ConfigurationError(f"The list {file} is empty. Fix: write one SOURCE:SUBJECT in each line.")
    return specs
