"""The layers that every request passes before the routes: plain ASGI."""
