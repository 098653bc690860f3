"""Deploy every stack: `make deploy`. Options after the deployment file are passed to `cdk deploy --all`.

With `serverless = true` and no `lambda_image` in the settings, the first deploy creates the image repository.
Then the image is built and pushed, and the second deploy uses its digest.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

from infra.push_image import ImageError, push
from infra.release import ROOT, ReleaseError
from infra.session_key import LACKS_KEY, lacks_key
from infra.settings import DeploymentSettings, SettingsError, Target, load_settings


class DeployError(Exception):
    """Nothing or not everything was deployed; the message has the reason."""


def main(deployment: str, options: list[str]) -> int:
    """Deploy, or print one error message; return the exit code."""
    try:
        settings = load_settings(ROOT / deployment)
        _check_key(settings)
        options = [*options, "--context", f"deployment={deployment}"]
        _deploy(options)
        if settings.awaits_image:
            digest = push(Target(settings.region, settings.stage, settings.catalog), datetime.now(UTC))
            print(f"deploying the image {digest}", flush=True)  # noqa: T201  a program of its own
            _deploy([*options, "--context", f"lambda_image={digest}"])
    except (DeployError, ImageError, ReleaseError, SettingsError) as error:
        print(error, file=sys.stderr)  # noqa: T201  as above
        return 1
    return 0


def _check_key(settings: DeploymentSettings) -> None:
    if lacks_key(settings):
        raise DeployError(LACKS_KEY)


def _deploy(options: list[str]) -> None:
    try:
        done = subprocess.run(["cdk", "deploy", "--all", *options], cwd=ROOT, check=False)  # noqa: S603, S607  no shell
    except FileNotFoundError:
        raise DeployError("The CDK CLI is not in PATH. Fix: run `make deploy`, which installs it.") from None
    if done.returncode != 0:
        raise DeployError(f"`cdk deploy` exited with {done.returncode}; its output is above.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
