"""Run `attempts.py` in the sandbox of a unit, and return what was allowed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tests.host import attempts
from tests.host.ledger import as_a_job

if TYPE_CHECKING:
    from tests.host.box import Box

PROGRAM = "/run/rehearsal-attempts.py"  # not in /tmp or /root, which a sandbox replaces
API = "community-metrics-api"


def probed_as_a_job(box: Box) -> dict[str, object]:
    """Return what the sandbox of a job allows."""
    _copy(box)
    return _results(box.succeeds(as_a_job(PROGRAM)))


def probed_as_the_api(box: Box) -> dict[str, object]:
    """Return what the API's unit allows; it runs the probe before its server, once."""
    _copy(box)
    folder = f"/run/systemd/system/{API}.service.d"
    before = f"ExecStartPre=/opt/community-metrics/current/bin/python -P {PROGRAM}"
    box.succeeds(f"mkdir -p {folder} && printf '[Service]\\n{before}\\n' > {folder}/rehearsal.conf")
    try:
        box.succeeds(f"systemctl daemon-reload && systemctl restart {API}")
    finally:
        box.succeeds(f"rm -r {folder} && systemctl daemon-reload && systemctl restart {API}")
    return _results(box.journal(API, lines=200))


def _copy(box: Box) -> None:
    program = Path(attempts.__file__).read_text(encoding="utf-8")
    done = box.run(f"cat > {PROGRAM} && chmod 644 {PROGRAM}", text=program)
    assert done.returncode == 0, done.stderr


def _results(text: str) -> dict[str, object]:
    line = next(line for line in reversed(text.splitlines()) if "PROBE " in line)
    found: dict[str, object] = json.loads(line.partition("PROBE ")[2])
    return found
