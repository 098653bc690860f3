"""The CDK app: synthesises the stacks of `deployment.toml`.

`-c deployment=other.toml` uses another file, `-c lambda_image=sha256:…` another image than the file's.
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
    "lambda_image is not set, so only the secrets and storage stacks can be deployed. Deploy them, run "
    "`make image`, add the line that it prints to deployment.toml, and deploy again; or run `make deploy`, "
    "which does all of it."
)


def main() -> int:
    """Synthesise the stacks, or print one error message; return the exit code."""
    app = App()
    try:
        settings = load_settings(
            Path(app.node.try_get_context("deployment") or ROOT / "deployment.toml"),
            app.node.try_get_context("lambda_image"),
        )
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
