"""What every request passes on its way in, and every answer on its way out: plain ASGI, a few lines each."""

from __future__ import annotations
