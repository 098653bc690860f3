"""The programs that systemd runs on the host beside the jobs: the API's server, secrets, monitor, notice.

Their units are in `infra/host/files/etc/systemd/system`; what each may touch is said there.
"""

from __future__ import annotations
