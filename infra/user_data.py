"""The user data: the deployment's facts as JSON, `first_boot.py`, and the packages it needs to run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from infra.release import HOST_FILES

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = "/var/lib/community-metrics"
# CDK joins what is added to it with line breaks, and a script whose first byte is one has no interpreter
FIRST_LINE = "#!/bin/bash"
_TEMPLATE = """\
# Written by `cdk deploy`; cloud-init runs it once, as root.
set -euo pipefail
umask 022
mkdir -p {folder}
cat >{folder}/deployment.json <<'END_OF_FACTS'
{facts}
END_OF_FACTS
cat >{folder}/first_boot.py <<'END_OF_BOOT'
{boot}END_OF_BOOT
export DEBIAN_FRONTEND=noninteractive
for wait_s in 5 15 30 60; do # and the image may be installing updates of its own, which hold dpkg's lock
  apt-get update &&
    apt-get -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends python3-boto3 && break
  sleep "$wait_s" # the mirrors or the network may be late; without boto3 the deploy ends at its timeout
done
exec python3 {folder}/first_boot.py {folder}/deployment.json
"""


def render(facts: Mapping[str, Any]) -> str:
    """Return what follows the first line for these facts, which `first_boot.py` documents by its use."""
    boot = (HOST_FILES / "first_boot.py").read_text(encoding="utf-8")
    text = json.dumps({**facts, "releases": "/opt/community-metrics/releases"}, indent=1, sort_keys=True)
    return _TEMPLATE.format(folder=FOLDER, facts=text, boot=boot)
