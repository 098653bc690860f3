"""A webhook on the box: it writes each request that it gets as one line of JSON, and answers 200.

`python3 webhook.py PORT FILE`; it runs with Debian's Python.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


class Receiver(BaseHTTPRequestHandler):
    """Takes every POST."""

    file: Path

    def do_POST(self) -> None:
        """Write the request, and answer it."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.file.open("a", encoding="utf-8") as requests:
            requests.write(json.dumps({"path": self.path, "headers": headers, "body": body}) + "\n")
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


if __name__ == "__main__":
    Receiver.file = Path(sys.argv[2])
    Receiver.file.touch()
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
