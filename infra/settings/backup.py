"""The settings of backups: whether the database is backed up every week."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class BackupSettings(BaseModel):
    """The table `[backup]`; without it backups are made."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    enabled: bool
