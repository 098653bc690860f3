"""The CDK app: `deployment.toml` in, stacks out. `-c deployment=other.toml` reads another file."""

from __future__ import annotations

import sys
from pathlib import Path

from aws_cdk import App

from infra.acknowledgements import acknowledge
from infra.build import build
from infra.release import ROOT, ReleaseError, build_release
from infra.settings import SettingsError, load_settings


def main() -> int:
    """Synthesise, or say in one message why not, and return the exit code."""
    app = App()
    try:
        settings = load_settings(Path(app.node.try_get_context("deployment") or ROOT / "deployment.toml"))
        release = build_release(ROOT / "dist" / "release")
    except (SettingsError, ReleaseError) as error:
        print(error, file=sys.stderr)  # noqa: T201  the CLI shows what an app says on stderr
        return 2
    build(app, settings, release)
    acknowledge(app, settings)
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
