"""The read API for an ASGI server: `uvicorn community_metrics.api.main:app`.

The only module that reads the environment when it is imported, because a server takes the name `app` from it.
"""

from __future__ import annotations

from community_metrics.api.app import app_from_environment

app = app_from_environment()
