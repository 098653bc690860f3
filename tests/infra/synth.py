"""Synthesise deployments in a process of its own: `python -m tests.infra.synth OUT FLAVOUR…`.

`FLAVOUR!` omits the acknowledgements, so that the report lists every finding. The release is fake, with fixed
content; other tests build the real one.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from aws_cdk import App

from infra.acknowledgements import acknowledge
from infra.build import build
from infra.release import ROOT, Release
from tests.infra.flavours import settings

FAKE_RELEASE = b"a release of fixed content\n"


def synthesise(flavour: str, out: Path) -> None:
    """Write the cloud assembly of one flavour with the feature flags of cdk.json, as the CLI would."""
    flags = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    app = App(context=flags, outdir=str(out), analytics_reporting=False)
    chosen = settings(flavour.removesuffix("!"))
    build(app, chosen, fake_release(out.parent))
    if flavour.endswith("!"):
        try:
            app.synth()
        except RuntimeError:  # the findings; the report beside the templates lists them
            return
    acknowledge(app, chosen)
    app.synth()


def fake_release(directory: Path) -> Release:
    """Return a release that does not depend on the tree."""
    path = directory / "release.tar.gz"
    path.write_bytes(FAKE_RELEASE)
    return Release(path, hashlib.sha256(FAKE_RELEASE).hexdigest())


if __name__ == "__main__":
    for name in sys.argv[2:]:
        synthesise(name, Path(sys.argv[1]) / name)
