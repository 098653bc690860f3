"""The CDK app: synthesises the stacks of `deployment.toml`.

`-c deployment=other.toml` uses another file, `-c lambda_image=sha256:…` another image than the file's.
`-c placeholder_image=true` is for `cdk diff` and `cdk destroy`: they need every stack, but no real image.
"""

from __future__ import annotations

import sys
from pathlib import Path

from aws_cdk import App

from infra.acknowledgements import acknowledge
from infra.build import build
from infra.release import ROOT, ReleaseError, build_release
from infra.session_key import LACKS_KEY, lacks_key
from infra.settings import SettingsError, load_settings

AWAITS_IMAGE = (
    "lambda_image is not set, so only the secrets, storage and pipeline stacks are synthesised. Deploy them, "
    "run `make image`, add the line that it prints to deployment.toml, and deploy again; or run "
    "`make deploy`, which does all of it. For `cdk diff` and `cdk destroy`, add -c placeholder_image=true."
)


# no image of the repository has this digest, so a deploy of it fails and changes no function
PLACEHOLDER = "sha256:" + "0" * 64


def main() -> int:
    """Synthesise the stacks, or print one error message; return the exit code."""
    app = App()
    try:
        settings = load_settings(
            Path(app.node.try_get_context("deployment") or ROOT / "deployment.toml"),
            app.node.try_get_context("lambda_image"),
        )
        if settings.awaits_image and app.node.try_get_context("placeholder_image") == "true":
            settings = settings.model_copy(update={"lambda_image": PLACEHOLDER})
        release = build_release(ROOT / "dist" / "release", settings.catalog)
    except (SettingsError, ReleaseError) as error:
        print(error, file=sys.stderr)  # noqa: T201  the CDK CLI shows an app's stderr
        return 2
    if lacks_key(settings):
        print(LACKS_KEY, file=sys.stderr)  # noqa: T201  as below
    if settings.awaits_image:
        print(AWAITS_IMAGE, file=sys.stderr)  # noqa: T201  as above
    build(app, settings, release)
    acknowledge(app, settings)
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
