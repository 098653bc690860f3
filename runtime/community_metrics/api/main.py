"""The read API for an ASGI server: `uvicorn community_metrics.api.main:app`.

Importing this module reads the environment, because a server imports `app` by name.
"""

from __future__ import annotations

from community_metrics.api.app import app_from_environment

app = app_from_environment()
