"""Print the OpenAPI file: `python -m community_metrics.api > docs/openapi.json`. Needs no database."""

from __future__ import annotations

import sys

from community_metrics.api.app import create_app
from community_metrics.api.openapi import text_of
from community_metrics.config import Settings

if __name__ == "__main__":
    sys.stdout.write(text_of(create_app(Settings(_env_file=None)).routes))
