"""The response that carries a picture."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from community_metrics.charts.style import CONTENT_SECURITY_POLICY

MEDIA_TYPE: Final = "image/svg+xml"


def picture(drawing: str) -> Response:
    """Return the response with an SVG picture, which may run nothing and load nothing."""
    policy = {"content-security-policy": CONTENT_SECURITY_POLICY}
    return Response(drawing, media_type=MEDIA_TYPE, headers=policy)
