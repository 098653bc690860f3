"""The public key of AWS that a host checks the agent of Session Manager with; this repository has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.release import HOST_FILES, ROOT

if TYPE_CHECKING:
    from infra.settings import DeploymentSettings

SESSION_KEY = HOST_FILES / "amazon-ssm-agent.asc"

LACKS_KEY = (
    f"{SESSION_KEY.relative_to(ROOT)} is missing, so the host would come up without Session Manager, and you "
    "could not log in. Fix: save AWS's public key there (docs/deploy.md, step 1), or set "
    "session_manager = false."
)


def lacks_key(settings: DeploymentSettings) -> bool:
    """Return whether the release has no key to check the agent of Session Manager with."""
    return settings.session_manager and not settings.serverless and not SESSION_KEY.exists()
