"""The CDK app: `deployment.toml` in, stacks out. `-c deployment=other.toml` reads another file."""

from __future__ import annotations

import sys
from pathlib import Path

from aws_cdk import App

from infra.acknowledgements import acknowledge
from infra.build import build
from infra.release import ROOT, ReleaseError, build_release
from infra.settings import SettingsError, load_settings

AWAITS_IMAGE = (
    "lambda_image is not set: only the secrets and the image repository (storage) can be deployed yet. "
    "Deploy them, run `make image`, put the line that it prints into deployment.toml, and deploy again."
)


def main() -> int:
    """Synthesise, or say in one message why not, and return the exit code."""
    app = App()
    try:
        settings = load_settings(Path(app.node.try_get_context("deployment") or ROOT / "deployment.toml"))
        release = build_release(ROOT / "dist" / "release")
    except (SettingsError, ReleaseError) as error:
        print(error, file=sys.stderr)  # noqa: T201  the CLI shows what an app says on stderr
        return 2
    if settings.awaits_image:
        print(AWAITS_IMAGE, file=sys.stderr)  # noqa: T201  likewise
    build(app, settings, release)
    acknowledge(app, settings)
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
