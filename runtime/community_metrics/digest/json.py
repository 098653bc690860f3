"""A digest as JSON: everything that it has, as it is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from community_metrics.model.digest_content import Digest


def json_of(digest: Digest) -> str:
    """Return the digest as JSON that `Digest.model_validate_json` reads back."""
    return digest.model_dump_json(indent=2) + "\n"
