"""The programs that systemd runs on the host beside the jobs.

The API's server, the secrets, the monitor, the notice, and the question whether a catch-up is due.

Their units are in `infra/host/files/etc/systemd/system`; what each may touch is said there.
"""

from __future__ import annotations
