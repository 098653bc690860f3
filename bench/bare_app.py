"""The yardstick of `bench.api`: Starlette with two routes and nothing else, over bytes read from a file.

`python -m bench.bare_app PORT FILE`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

VALIDATORS = {"etag": '"0123456789abcdef0123456789abcdef"', "cache-control": "public, max-age=60"}
"""What every 304 has to repeat."""


def main() -> None:
    port, body = int(sys.argv[1]), Path(sys.argv[2]).read_bytes()

    async def whole(_: Request) -> Response:
        return Response(body, media_type="application/json")

    async def unchanged(_: Request) -> Response:
        return Response(status_code=304, headers=VALIDATORS)

    app = Starlette(routes=[Route("/whole", whole), Route("/unchanged", unchanged)])
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="critical", access_log=False)


if __name__ == "__main__":
    main()
