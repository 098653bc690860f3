"""Install the agent of AWS Session Manager, by which an operator logs in without SSH.

Debian has no package of it. It comes from AWS's bucket in the host's region, and is installed only if its
signature is valid under the key in `amazon-ssm-agent.asc` in this folder, which the operator saves from AWS's
documentation (docs/deploy.md). Run by `bootstrap.py`, as root on the host.
"""

from __future__ import annotations

import base64
import re
import subprocess
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

PACKAGE = "amazon-ssm-agent"
KEY = Path(__file__).resolve().with_name(f"{PACKAGE}.asc")
# gpgv, not sqv: the signatures on AWS's key use SHA-1, which sqv rejects
PACKAGES = ("gpgv",)
# `steps.py` in this folder, both in a release and in a checkout
steps = import_module(f"{__package__}.steps" if __package__ else "steps")
# header lines such as `Version: …`, an empty line, the key in base64, and a checksum or the end
_BLOCK = re.compile(r"-----BEGIN PGP PUBLIC KEY BLOCK-----\n(?:[^\n]+\n)*\n(.*?)\n(?:=|-----END)", re.DOTALL)
_VALID = re.compile(r"^\[GNUPG:\] GOODSIG ", re.MULTILINE)


class NotInstalledError(Exception):
    """The agent was not installed; the message says why, and what to do."""


def install(region: str, key: Path = KEY) -> None:
    """Download the agent, check its signature, install it and start it.

    Raises:
        NotInstalledError: there is no key, no download, or no valid signature, or apt or systemctl fails.
    """
    if not key.exists():
        raise NotInstalledError(
            f"the release has no {key.name}, the public key to check its signature with. Fix: save AWS's key "
            f"as infra/host/{key.name} (docs/deploy.md, step 1), and deploy"
        )
    with TemporaryDirectory() as scratch:
        package = download(region, architecture(), Path(scratch))
        check_signature(package, key)
        try:
            steps.run("apt-get", *steps.APT_LOCK, "install", "--yes", "--no-install-recommends", str(package))
            steps.run("systemctl", "enable", "--quiet", "--now", f"{PACKAGE}.service")
        except (subprocess.CalledProcessError, steps.StepError) as error:
            raise NotInstalledError(f"it cannot be installed or started: {error}") from None


def architecture() -> str:
    """Return Debian's name of this machine's architecture."""
    command = ["dpkg", "--print-architecture"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def download(region: str, machine: str, folder: Path) -> Path:
    """Download the package and its signature, which lies beside it, and return the package.

    Raises:
        NotInstalledError: AWS's bucket cannot be read.
    """
    # a public bucket: the role has no permission for it, and a request without credentials needs none
    config = Config(
        signature_version=UNSIGNED, connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 3}
    )
    client = boto3.client("s3", region_name=region, config=config)
    bucket, prefix = f"amazon-ssm-{region}", f"latest/debian_{machine}"
    for name in (f"{PACKAGE}.deb", f"{PACKAGE}.deb.sig"):
        try:
            content = client.get_object(Bucket=bucket, Key=f"{prefix}/{name}")["Body"].read()
        except (BotoCoreError, ClientError, OSError) as error:
            raise NotInstalledError(f"cannot download s3://{bucket}/{prefix}/{name}: {error}") from None
        (folder / name).write_bytes(content)
    return folder / f"{PACKAGE}.deb"


def check_signature(package: Path, key: Path = KEY) -> None:
    """Check the signature beside the package.

    Raises:
        NotInstalledError: it is not valid, or the key has expired.
    """
    keyring = package.with_name("keyring")
    keyring.write_bytes(binary_key(key.read_text(encoding="utf-8")))
    command = ["gpgv", "--status-fd", "1", "--keyring", str(keyring), f"{package}.sig", str(package)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    # gpgv exits with 0 also if the key has expired; then it prints EXPKEYSIG instead of GOODSIG
    if done.returncode != 0 or not _VALID.search(done.stdout):
        raise NotInstalledError(
            f"its signature is not valid under {key.name}: {' '.join(done.stderr.split())}. Fix: if AWS has "
            f"replaced the key, save the new one as infra/host/{key.name}, and deploy"
        )


def binary_key(text: str) -> bytes:
    """Return the keys of an ASCII-armoured file as gpgv reads them; leading spaces are ignored."""
    lines = "\n".join(line.strip() for line in text.splitlines()) + "\n"
    return b"".join(base64.b64decode(block) for block in _BLOCK.findall(lines))
