"""Check the keys of a LanceDB cluster when the host boots, before anything needs them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

PYTHON = "/opt/community-metrics/current/bin/python"
SECRETS = "/run/community-metrics/secrets"
TIME_LIMIT_S = 300  # three tries, each up to 30 s on a cluster that never answers

steps = import_module("steps")  # a module in this folder


def check(config: dict[str, Any]) -> None:
    """Read with the read key and write with the write key; a bucket has no keys.

    Raises:
        subprocess.CalledProcessError: the cluster rejects a key or cannot be reached; the reason is printed.
    """
    if config["environment"]["CM_STORAGE_MODE"] != "enterprise":
        return
    properties = (
        "User=cm-secrets",  # the only user that can read both keys
        "EnvironmentFile=/etc/community-metrics.env",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        f"RuntimeMaxSec={TIME_LIMIT_S}",
    )
    options = [f"--property={value}" for value in properties]
    command = (PYTHON, "-P", "-m", "community_metrics.host.check_keys", SECRETS)
    steps.run("systemd-run", "--quiet", "--wait", "--pipe", "--collect", *options, "--", *command)
