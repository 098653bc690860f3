"""Bootstrap steps for what surrounds the API: nginx, its certificate, sshd, Debian's updates, the journal.

Run by `bootstrap.py`, as root on the host. Static files are in `files/`; files that depend on the deployment
are in `templates/`, where `@NAME@` is replaced by a value.
"""

from __future__ import annotations

import hashlib
import subprocess
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGES = (
    "certbot",
    "libnginx-mod-http-brotli-filter",
    "nginx",
    "openssh-server",
    "unattended-upgrades",
)
TEMPLATES = Path(__file__).resolve().parent / "templates"
UPDATE_LIMIT_S = "120"  # three times, and the boot has 20 minutes
UPDATE_WAITS_S = (10.0, 30.0)
LOGS_UNIT = "community-metrics-logs.service"
CERTIFICATE_PROGRAM = "/usr/local/sbin/cm-certificate"
# `steps.py` in this folder, both in a release and in a checkout
steps = import_module(f"{__package__}.steps" if __package__ else "steps")

# services that read their files only at start or reload: those files, and the systemctl command
SERVICES = {
    "ssh": (("etc/ssh/sshd_config.d",), ("try-reload-or-restart", "ssh.service")),
    "journald": (("etc/systemd/journald.conf.d",), ("restart", "systemd-journald.service")),
    "apt": (
        ("etc/systemd/system/apt-daily.timer.d", "etc/systemd/system/apt-daily-upgrade.timer.d"),
        ("try-restart", "apt-daily.timer", "apt-daily-upgrade.timer"),
    ),
    # restart, not reload: at first nginx still runs with Debian's files and PID file
    "nginx": (("etc/nginx", "etc/systemd/system/nginx.service.d"), ("restart", "nginx.service")),
    "logs": (
        (
            "usr/local/libexec/cm-ship-logs",
            f"etc/systemd/system/{LOGS_UNIT}",
            f"etc/systemd/system/{LOGS_UNIT}.d",
        ),
        ("try-restart", LOGS_UNIT),
    ),
}


def prepare(config: dict[str, Any], root: Path = Path("/")) -> list[tuple[str, Callable[[], None]]]:
    """Return the steps to run after `files/` is copied and before units are enabled."""
    return [
        ("edge settings", lambda: write_templates(config, root)),
        ("security updates", install_security_updates),
        ("certbot", replace_certbot_timer),
    ]


def start(config: dict[str, Any], root: Path = Path("/")) -> list[tuple[str, Callable[[], None]]]:
    """Return the steps to run after the API answers on its socket and before the timers start.

    No step waits for a certificate: the domain name points here only after the host has signalled success.
    `community-metrics-certificate.timer` requests it later.
    """
    return [
        ("sshd", lambda: reload_if_changed("ssh", root)),
        ("journal", lambda: reload_if_changed("journald", root)),
        ("updates", lambda: reload_if_changed("apt", root)),
        ("certificate", lambda: steps.run(CERTIFICATE_PROGRAM, "prepare")),
        ("nginx", lambda: start_nginx(root)),
        ("logs", lambda: switch_log_shipping(on=config["ship_logs"], root=root)),
    ]


def write_templates(config: dict[str, Any], root: Path) -> None:
    """Render every template and write it to its path."""
    for template in sorted(path for path in TEMPLATES.rglob("*") if path.is_file()):
        text = render(template.read_text(encoding="utf-8"), config)
        steps.write(root / template.relative_to(TEMPLATES), text.encode())


def render(template: str, config: dict[str, Any]) -> str:
    """Return the template with each `@NAME@` replaced."""
    origins = config["environment"]["CM_CORS_ORIGINS"].split(",")
    values = {
        "API_HOST": config["api_host"],
        "ORIGINS": "\n".join(f'    "{origin}" $http_origin;' for origin in origins),
    }
    for name, value in values.items():
        template = template.replace(f"@{name}@", value)
    return template


def install_security_updates() -> None:
    """Install Debian's security updates before the services start, and so before the host gets the address.

    Updates that cannot be installed do not fail the boot: the timer installs them at night.
    """
    for wait_s in (*UPDATE_WAITS_S, None):  # at first boot the image may be installing its own updates
        try:
            # at SIGTERM it finishes the package that it is installing; the next try continues
            steps.run("timeout", UPDATE_LIMIT_S, "unattended-upgrade")
        except (subprocess.CalledProcessError, steps.StepError) as error:
            if wait_s is None:
                steps.warn(f"security updates are not installed: {error}; they are tried again tonight")
            else:
                time.sleep(wait_s)
        else:
            return


def replace_certbot_timer() -> None:
    """Disable Debian's certbot timer: it does not use the bucket and does not check DNS first."""
    # stop first: systemd reports a timer that is masked while it runs as failed
    steps.run("systemctl", "stop", "certbot.timer")
    steps.run("systemctl", "mask", "--quiet", "certbot.timer")
    folder = Path("/etc/letsencrypt")
    folder.mkdir(exist_ok=True)
    folder.chmod(0o700)


def start_nginx(root: Path) -> None:
    """Start nginx with the current files, and enable it at boot."""
    steps.run("systemctl", "enable", "--quiet", "nginx.service")
    reload_if_changed("nginx", root)
    steps.systemctl("start", "nginx.service")


def reload_if_changed(service: str, root: Path) -> None:
    """Reload or restart a service if its files differ from those of the last successful call."""
    paths, (verb, *units) = SERVICES[service]
    digest = digest_of([root / path for path in paths])
    loaded = root / "var/lib/community-metrics/loaded" / service
    if loaded.exists() and loaded.read_text(encoding="utf-8") == digest:
        return
    steps.systemctl(verb, *units)
    steps.write(loaded, digest.encode())


def switch_log_shipping(*, on: bool, root: Path = Path("/")) -> None:
    """Enable or disable the unit that ships the journal to CloudWatch."""
    wants = root / "etc/systemd/system/multi-user.target.wants" / LOGS_UNIT
    if on:
        steps.run("systemctl", "add-wants", "--quiet", "multi-user.target", LOGS_UNIT)
        reload_if_changed("logs", root)
        steps.systemctl("start", LOGS_UNIT)
    elif wants.is_symlink():
        wants.unlink()
        steps.run("systemctl", "daemon-reload")
        steps.run("systemctl", "stop", LOGS_UNIT)


def digest_of(paths: list[Path]) -> str:
    """Return a digest of the names and contents of these files and of every file in these folders."""
    digest = hashlib.sha256()
    found = [path for parent in paths for path in (parent, *parent.rglob("*"))]
    for path in sorted(path for path in found if path.is_file()):
        content = path.read_bytes()
        digest.update(f"{path}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
