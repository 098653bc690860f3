"""The programs that systemd runs on the host in addition to the jobs.

They serve the API, fetch secrets, report gauges, send notices, and check whether a catch-up is due. Their
units, with the permissions of each, are in `infra/host/files/etc/systemd/system`.
"""

from __future__ import annotations
