"""Build the Lambda image for arm64, push it, and print its digest: `python -m infra.push_image DEPLOYMENT`.

Needs Docker with buildx, AWS credentials, and the ECR repository of the storage stack.

Each build has a tag of its own, and tags are immutable. So a later build of the same commit, which may have a
patched base image, does not take the tag of an image that a function uses. The repository expires untagged
images only.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra.names import CATALOG_PATH, IMAGE_REPOSITORY, StackName, staged
from infra.release import ROOT, ReleaseError, build_wheel
from infra.settings import SettingsError, Target, load_target

PLATFORM = "linux/arm64"


class ImageError(Exception):
    """The image was not pushed; the message says what to do."""


def main() -> int:
    """Build and push the image, print the line for the deployment file, and return the exit code."""
    try:
        digest = push(load_target(Path(sys.argv[1])), datetime.now(UTC))
    except (ImageError, ReleaseError, SettingsError) as error:
        print(error, file=sys.stderr)  # noqa: T201  a program of its own
        return 1
    print(f'lambda_image = "{digest}"')  # noqa: T201  the line for the deployment file
    return 0


def push(target: Target, now: datetime) -> str:
    """Build the image, push it to the repository of the deployment, and return its digest.

    Raises:
        ImageError: there is no Docker or no repository, or the build failed.
        ReleaseError: the wheel cannot be built from this tree.
    """
    uri, user, password = _repository(target)
    _docker("login", "--username", user, "--password-stdin", uri.partition("/")[0], stdin=password)
    return _build_and_push(uri, target.catalog, now)


def _repository(target: Target) -> tuple[str, str, str]:
    """Return the URI of the repository, and the user and password for it."""
    client = boto3.client("ecr", region_name=target.region)
    name = staged(IMAGE_REPOSITORY, target.stage)
    try:
        found = client.describe_repositories(repositoryNames=[name])["repositories"]
        token = client.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    except (BotoCoreError, ClientError) as error:
        raise ImageError(
            f"Cannot use the ECR repository {name}: {error}. "
            f"Fix: create it with `npx cdk deploy {staged(StackName.STORAGE, target.stage)}`."
        ) from None
    user, _, password = base64.b64decode(token).decode().partition(":")
    return found[0]["repositoryUri"], user, password


def write_context(folder: Path, catalog: Path | None) -> None:
    """Write what `runtime/Dockerfile` copies: the wheel and the catalogue."""
    shutil.rmtree(folder, ignore_errors=True)
    files = folder / "files"  # copied to the root of the image; empty without a catalogue
    files.mkdir(parents=True)
    if catalog is not None:
        target = files / CATALOG_PATH.lstrip("/")
        target.parent.mkdir(parents=True)
        shutil.copyfile(catalog, target)
    # COPY keeps the modes, which come from the umask here, and the functions run as another user than root
    for path in (files, *files.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    build_wheel(folder)


def _build_and_push(uri: str, catalog: Path | None, now: datetime) -> str:
    write_context(ROOT / "dist" / "image", catalog)
    with TemporaryDirectory() as scratch:
        metadata = Path(scratch) / "metadata.json"
        options = (
            "--platform",
            PLATFORM,
            "--pull",  # the base image's tag moves when it is patched
            "--provenance=false",
            "--push",
            "--metadata-file",
            str(metadata),
        )
        tag = f"{uri}:{_tag(now)}"
        _docker(
            "buildx", "build", *options, "--tag", tag, "--file", str(ROOT / "runtime/Dockerfile"), str(ROOT)
        )
        digest = json.loads(metadata.read_text(encoding="utf-8"))["containerimage.digest"]
    return str(digest)


def _tag(now: datetime) -> str:
    return f"{_git_commit()}-{now:%Y%m%dT%H%M%S%fZ}"


def _git_commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"],  # noqa: S607  git from PATH
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
        raise ImageError("docker is not installed. `make image` needs Docker with buildx.") from None
    except subprocess.CalledProcessError as error:
        raise ImageError(
            f"`docker {arguments[0]}` exited with {error.returncode}; its output is above."
        ) from None


if __name__ == "__main__":
    sys.exit(main())
