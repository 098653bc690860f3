"""Secrets on the host: `python -m community_metrics.host.secrets NAMES FOLDER`, at boot and every 15 minutes.

NAMES is a JSON file with the secrets of each reader. Their values are written to FOLDER/READER/SETTING on a
tmpfs, and systemd passes them to that reader's units only (`LoadCredential=`). Values are written only if the
settings are valid with them; otherwise the previous values stay and an error is logged. Nothing is written
while a secret without a previous value cannot be read: it may hold the API's tokens.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from community_metrics import log
from community_metrics.aws.secrets import fetch_secrets
from community_metrics.config import SECRETS_COMPLETE, given_settings, load_settings
from community_metrics.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

RENEWED: Final = "renewed"
"""A file in FOLDER; while it exists, the running API has other values than Secrets Manager."""
_API: Final = "api"
_NOT_WRITTEN: Final = (
    "new values are not written until each secret can be read or has no value. Fix the errors above; this is "
    "retried within 5 minutes. To retry now: `sudo systemctl start community-metrics-secrets`"
)
_journal = structlog.get_logger("community_metrics.host")


def renew(names: Path, folder: Path) -> list[str]:
    """Fetch every secret, write the values that are valid, and return the errors."""
    errors = []
    for reader, ids in json.loads(names.read_text(encoding="utf-8")).items():
        target = folder / reader
        before = stored_values(target)
        settings = [variable.removeprefix("CM_").removesuffix("_SECRET").lower() for variable in ids]
        after, found = _renewed(before, dict(zip(settings, ids.values(), strict=True)))
        errors += [f"{reader}: {error}" for error in found]
        if after is None:
            continue
        if after != before:
            if reader == _API:
                # before the values: if killed in between, the API is restarted once too often, not never;
                # also without previous values: an API without tokens is running already, open to everyone
                (folder / RENEWED).touch()
            _write(target, after)
            _journal.info("secrets renewed", reader=reader, settings=_changed(before, after))
        (target / SECRETS_COMPLETE).touch(0o400)  # last: it marks that every value is written
    return errors


def _renewed(before: Mapping[str, str], ids: Mapping[str, str]) -> tuple[dict[str, str] | None, list[str]]:
    """Return the values to use, or None to keep all previous ones, and the errors."""
    fetched = fetch_secrets(ids)
    kept = {name: value for name, value in before.items() if name in ids}
    errors = list(fetched.errors.values())
    if fetched.errors.keys() - kept.keys():
        return None, [*errors, _NOT_WRITTEN]
    # an API must not lose its tokens unnoticed
    errors += [f"{ids[name]} no longer has a value. Fix: store it again" for name in fetched.lost(kept)]
    after = kept | fetched.found
    try:
        load_settings(after)
    except ConfigurationError as error:
        return None, [*errors, str(error)]
    return after, errors


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def stored_values(folder: Path) -> dict[str, str]:
    """Return the values in a reader's folder, by setting."""
    values = (path for path in folder.iterdir() if not path.suffix and path.name != SECRETS_COMPLETE)
    return {path.name: path.read_text(encoding="utf-8") for path in values}


def _write(folder: Path, values: Mapping[str, str]) -> None:
    for name in _changed(stored_values(folder), values):
        if name not in values:
            (folder / name).unlink()
            continue
        scratch = folder / f"{name}.new"
        scratch.unlink(missing_ok=True)  # a leftover of a killed process is read-only
        scratch.write_text(values[name], encoding="utf-8")
        scratch.chmod(0o400)
        scratch.rename(folder / name)


def main() -> int:
    """Renew the secrets, log every error, and return the exit code."""
    log.configure(given_settings({"log_format": "json"}), is_terminal=False)
    errors = renew(Path(sys.argv[1]), Path(sys.argv[2]))
    if not errors:
        return 0
    error = ConfigurationError("Secrets of this host were not renewed:", errors)
    _journal.error(str(error))
    return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
