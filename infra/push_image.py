"""Builds the Lambda image for arm64, pushes it, and prints its digest: `make image`.

Needs Docker with buildx, credentials for the account, and the repository that the storage stack makes.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra.names import IMAGE_REPOSITORY, StackName
from infra.release import ROOT, ReleaseError, build_wheel
from infra.settings import SettingsError, load_region

PLATFORM = "linux/arm64"


class ImageError(Exception):
    """The image was not pushed; the text says what to do."""


def main() -> int:
    """Build, push, print what `deployment.toml` needs, and return the exit code."""
    try:
        region = load_region(ROOT / "deployment.toml")
        uri, user, password = _repository(region)
        _docker("login", "--username", user, "--password-stdin", uri.partition("/")[0], stdin=password)
        digest = _build_and_push(uri)
    except (ImageError, ReleaseError, SettingsError) as error:
        print(error, file=sys.stderr)  # noqa: T201  a program of its own
        return 1
    print(f'lambda_image = "{digest}"')  # noqa: T201  the line for deployment.toml
    return 0


def _repository(region: str) -> tuple[str, str, str]:
    """Return where to push, and the login for it."""
    client = boto3.client("ecr", region_name=region)
    try:
        found = client.describe_repositories(repositoryNames=[IMAGE_REPOSITORY])["repositories"]
        token = client.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    except (BotoCoreError, ClientError) as error:
        raise ImageError(
            f"There is no repository to push to: {error}. Make it with `npx cdk deploy {StackName.STORAGE}`."
        ) from None
    user, _, password = base64.b64decode(token).decode().partition(":")
    return found[0]["repositoryUri"], user, password


def _build_and_push(uri: str) -> str:
    wheels = ROOT / "dist" / "image"
    shutil.rmtree(wheels, ignore_errors=True)
    wheel = build_wheel(wheels)
    tag = f"{uri}:{wheel.stem}-{_git_commit()}"
    with TemporaryDirectory() as scratch:
        told = Path(scratch) / "metadata.json"
        options = ("--platform", PLATFORM, "--provenance=false", "--push", "--metadata-file", str(told))
        _docker(
            "buildx", "build", *options, "--tag", tag, "--file", str(ROOT / "runtime/Dockerfile"), str(ROOT)
        )
        metadata = json.loads(told.read_text(encoding="utf-8"))
    return str(metadata["containerimage.digest"])


def _git_commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"],  # noqa: S607  the git of whoever builds
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "untracked"


def _docker(*arguments: str, stdin: str | None = None) -> None:
    try:
        subprocess.run(["docker", *arguments], input=stdin, text=True, check=True)  # noqa: S603, S607  no shell
    except FileNotFoundError:
        raise ImageError("There is no docker here. `make image` needs Docker with buildx.") from None
    except subprocess.CalledProcessError as error:
        raise ImageError(
            f"`docker {arguments[0]}` failed with {error.returncode}; it said why above."
        ) from None


if __name__ == "__main__":
    sys.exit(main())
