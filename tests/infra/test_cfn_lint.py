from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.infra.flavours import PRIVATE

if TYPE_CHECKING:
    from tests.infra.conftest import Assembly

# what CDK itself writes: W3005, a DependsOn that a Ref implies already
CDK_ITSELF = {"W3005"}
# W3010, a zone by its name: it is a setting, and a zone without the instance type must be avoidable
ON_PURPOSE = {"W3010"}


def test_cfn_lint_finds_only_what_the_cdk_causes(assemblies: dict[str, Assembly]) -> None:
    names = ("smallest", "fullest", "serverless-s3", *PRIVATE)
    templates = [
        str(path) for name in names for path in sorted(assemblies[name].path.glob("*.template.json"))
    ]

    done = subprocess.run(
        [
            Path(sys.executable).parent / "cfn-lint",
            "--format",
            "json",
            "--non-zero-exit-code",
            "none",
            *templates,
        ],
        capture_output=True,
        text=True,
        check=True,
    )

    found = json.loads(done.stdout)
    assert [fault for fault in found if fault["Rule"]["Id"] not in CDK_ITSELF | ON_PURPOSE] == []
