"""What stands between the API and the world, as steps of `bootstrap.py`, which runs as root on the host.

nginx, the certificate, sshd, Debian's own updates, the journal. Their files are in `files/`; those that
depend on the deployment are in `templates/`, where `@NAME@` stands for a fact.
"""

from __future__ import annotations

import hashlib
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
LOGS_UNIT = "community-metrics-logs.service"
CERTIFICATE_PROGRAM = "/usr/local/sbin/cm-certificate"
# the file beside this one, in a release as in a checkout
steps = import_module(f"{__package__}.steps" if __package__ else "steps")

# what a running service knows only after it was told: its files, and how it is told
SERVICES = {
    "ssh": (("etc/ssh/sshd_config.d",), ("try-reload-or-restart", "ssh.service")),
    "journald": (("etc/systemd/journald.conf.d",), ("restart", "systemd-journald.service")),
    "apt": (
        ("etc/systemd/system/apt-daily.timer.d", "etc/systemd/system/apt-daily-upgrade.timer.d"),
        ("try-restart", "apt-daily.timer", "apt-daily-upgrade.timer"),
    ),
    # not a reload: the first time nginx still runs with Debian's files and process id
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
    """Return the steps after the files of `files/` are laid down and before units are read and enabled."""
    return [
        ("edge settings", lambda: lay_templates(config, root)),
        ("certbot", give_certbot_to_our_timer),
    ]


def start(config: dict[str, Any], root: Path = Path("/")) -> list[tuple[str, Callable[[], None]]]:
    """Return the steps after the API answers on its socket and before the timers are started.

    None of them waits for a certificate: the name leads here only after the box has said that it is well. A
    timer of its own goes on asking.
    """
    return [
        ("sshd", lambda: tell("ssh", root)),
        ("journal", lambda: tell("journald", root)),
        ("updates", lambda: tell("apt", root)),
        ("certificate", lambda: steps.run(CERTIFICATE_PROGRAM, "prepare")),
        ("nginx", lambda: start_nginx(root)),
        ("logs", lambda: switch_log_shipping(on=config["ship_logs"], root=root)),
    ]


def lay_templates(config: dict[str, Any], root: Path) -> None:
    """Write every template to its place, with the deployment's facts in it."""
    for template in sorted(path for path in TEMPLATES.rglob("*") if path.is_file()):
        text = rendered(template.read_text(encoding="utf-8"), config)
        steps.write(root / template.relative_to(TEMPLATES), text.encode())


def rendered(template: str, config: dict[str, Any]) -> str:
    """Return a template with the facts in their places."""
    origins = config["environment"]["CM_CORS_ORIGINS"].split(",")
    facts = {
        "API_HOST": config["api_host"],
        "ORIGINS": "\n".join(f'    "{origin}" $http_origin;' for origin in origins),
    }
    for name, value in facts.items():
        template = template.replace(f"@{name}@", value)
    return template


def give_certbot_to_our_timer() -> None:
    """Switch Debian's timer off: it knows nothing of the bucket, nor where the name leads."""
    # stopped first: masked while it runs, systemd would call it failed
    steps.run("systemctl", "stop", "certbot.timer")
    steps.run("systemctl", "mask", "--quiet", "certbot.timer")
    folder = Path("/etc/letsencrypt")
    folder.mkdir(exist_ok=True)
    folder.chmod(0o700)


def start_nginx(root: Path) -> None:
    """Let nginx serve with these files, and with the box at every boot."""
    steps.run("systemctl", "enable", "--quiet", "nginx.service")
    tell("nginx", root)
    steps.start("nginx.service")


def tell(service: str, root: Path) -> None:
    """Let a service learn of its files where they differ from those it was last told of."""
    places, (verb, *units) = SERVICES[service]
    digest = digest_of([root / place for place in places])
    told = root / "var/lib/community-metrics/told" / service
    if told.exists() and told.read_text(encoding="utf-8") == digest:
        return
    steps.start(*units, verb=verb)
    steps.write(told, digest.encode())


def switch_log_shipping(*, on: bool, root: Path = Path("/")) -> None:
    """Ship the journal to CloudWatch from now on, or no more."""
    wants = root / "etc/systemd/system/multi-user.target.wants" / LOGS_UNIT
    if on:
        steps.run("systemctl", "add-wants", "--quiet", "multi-user.target", LOGS_UNIT)
        tell("logs", root)
        steps.start(LOGS_UNIT)
    elif wants.is_symlink():
        wants.unlink()
        steps.run("systemctl", "daemon-reload")
        steps.run("systemctl", "stop", LOGS_UNIT)


def digest_of(places: list[Path]) -> str:
    """Return a digest of the names and contents of these files, and of every file in these folders."""
    digest = hashlib.sha256()
    found = [path for place in places for path in (place, *place.rglob("*"))]
    for path in sorted(path for path in found if path.is_file()):
        content = path.read_bytes()
        digest.update(f"{path}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
