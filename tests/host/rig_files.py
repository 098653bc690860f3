"""The files that the rehearsal lays on a fresh disk, each with its reason: nothing else may differ."""

from __future__ import annotations

from dataclasses import dataclass

from tests.host import mirror


@dataclass(frozen=True, slots=True)
class RigFile:
    """One file, and why it has to be there."""

    content: str
    reason: str


def rig_files(hostname: str, variables: dict[str, str], test_ca: str, bundle: str) -> dict[str, RigFile]:
    """Return what a fresh disk gets, by path; `bundle` is what the image trusts already."""
    assignments = " ".join(f'"{name}={value}"' for name, value in variables.items())
    return {
        "etc/hostname": RigFile(f"{hostname}\n", "cloud-init writes it from the instance's metadata"),
        "etc/hosts": RigFile(f"127.0.0.1 localhost\n127.0.1.1 {hostname}\n", "likewise"),
        "etc/resolv.conf": RigFile("nameserver 10.77.0.1\n", "DHCP gives it on EC2"),
        "etc/apt/sources.list.d/debian.sources": RigFile(
            mirror.sources(), "endpoint: Debian's packages, by Debian's keys, at the world's mirror"
        ),
        "etc/apt/apt.conf.d/99rehearsal": RigFile(
            'Acquire::Languages "none";\n', "endpoint: the mirror's translations would cost a minute"
        ),
        "etc/pip.conf": RigFile(
            "[global]\nindex-url = http://wheels.rehearsal.test/simple/\n"
            "trusted-host = wheels.rehearsal.test\n",
            "endpoint: the wheels of the lock at the world's index",
        ),
        "etc/systemd/system.conf.d/rehearsal.conf": RigFile(
            f"[Manager]\nDefaultEnvironment={assignments}\n", "endpoint variables, for every unit"
        ),
        "usr/local/share/ca-certificates/rehearsal.crt": RigFile(test_ca, "the trusted test CA"),
        "etc/ssl/certs/ca-certificates.crt": RigFile(bundle + test_ca, "the trusted test CA, installed"),
    }
