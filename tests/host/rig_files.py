"""The files that the rehearsal writes to a new disk, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass

from tests.host import mirror


@dataclass(frozen=True, slots=True)
class RigFile:
    """One file, and why it is needed."""

    content: str
    reason: str


def rig_files(hostname: str, variables: dict[str, str], test_ca: str, bundle: str) -> dict[str, RigFile]:
    """Return the files by path; `bundle` are the certificates that the image trusts already."""
    assignments = " ".join(f'"{name}={value}"' for name, value in variables.items())
    return {
        "etc/hostname": RigFile(f"{hostname}\n", "cloud-init writes it from the instance's metadata"),
        "etc/hosts": RigFile(f"127.0.0.1 localhost\n127.0.1.1 {hostname}\n", "as above"),
        "etc/resolv.conf": RigFile("nameserver 10.77.0.1\n", "DHCP on EC2"),
        "etc/apt/sources.list.d/debian.sources": RigFile(
            mirror.sources(), "endpoint: the world's mirror of Debian's packages, verified by Debian's keys"
        ),
        "etc/apt/apt.conf.d/99rehearsal": RigFile(
            'Acquire::Languages "none";\n', "endpoint: translations would cost a minute"
        ),
        "etc/pip.conf": RigFile(
            "[global]\nindex-url = http://wheels.rehearsal.test/simple/\n"
            "trusted-host = wheels.rehearsal.test\n",
            "endpoint: the world's index with the wheels of the lock",
        ),
        "etc/systemd/system.conf.d/rehearsal.conf": RigFile(
            f"[Manager]\nDefaultEnvironment={assignments}\n", "endpoint variables, for every unit"
        ),
        "usr/local/share/ca-certificates/rehearsal.crt": RigFile(test_ca, "the trusted test CA"),
        "etc/ssl/certs/ca-certificates.crt": RigFile(bundle + test_ca, "the trusted test CA, installed"),
    }
