"""Synthesise with the real release, in a separate process: `python -m tests.host.synth OUT`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from aws_cdk import App

from infra.acknowledgements import acknowledge
from infra.build import build
from infra.release import ROOT, build_release
from tests.infra.flavours import DELIVERY, settings


def main(out: Path) -> None:
    """Write the cloud assembly to OUT, and the release to its parent folder."""
    flags = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    app = App(context=flags, outdir=str(out), analytics_reporting=False)
    chosen = settings("smallest", delivery=DELIVERY)
    build(app, chosen, build_release(out.parent))
    acknowledge(app, chosen)
    app.synth()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
