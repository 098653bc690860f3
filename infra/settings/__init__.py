"""Deployment settings: `load_settings` reads and validates `deployment.toml`."""

from __future__ import annotations

from infra.settings.model import DeploymentSettings
from infra.settings.reading import SettingsError, Target, load_settings, load_target, parse_settings

__all__ = ["DeploymentSettings", "SettingsError", "Target", "load_settings", "load_target", "parse_settings"]
