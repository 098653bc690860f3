"""Secrets on the host: `python -m community_metrics.host.secrets NAMES FOLDER`, at boot and every 15 minutes.

NAMES says which entries of Secrets Manager each reader gets. Their values go to FOLDER/READER/SETTING on a
tmpfs, from where `LoadCredential=` hands them to that reader's units alone. A value is written only when the
settings as a whole can be used with it: what was there before goes on serving, and the fault is told.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from community_metrics import log
from community_metrics.aws.secrets import Fault, read_entries
from community_metrics.config import given_settings, load_settings
from community_metrics.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

RENEWED: Final = "renewed"
"""The file in FOLDER that says: an API that runs holds other values than those in Secrets Manager."""
_API: Final = "api"
_journal = structlog.get_logger("community_metrics.host")


def renew(names: Path, folder: Path) -> list[str]:
    """Read every entry, write what can be used, and return the faults that were met."""
    faults = []
    for reader, entries in json.loads(names.read_text(encoding="utf-8")).items():
        place = folder / reader
        before = _kept(place)
        after, met = _renewed(before, {_setting(variable): name for variable, name in entries.items()})
        faults += [f"{reader}: {fault}" for fault in met]
        _write(place, after)
        if after != before:
            # also where there was nothing: an API without tokens runs already, and is open to everybody
            _journal.info("secrets renewed", reader=reader, settings=_changed(before, after))
            if reader == _API:
                (folder / RENEWED).touch()
    return faults


def _renewed(before: Mapping[str, str], entries: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the values to go on with, and what was wrong with those that were read."""
    answers = read_entries(entries)
    kept = {name: value for name, value in before.items() if name in entries}
    faults: list[str] = [answer for answer in answers.values() if isinstance(answer, Fault)]
    # also where the entry is there and empty: the tokens of an API must not lapse unseen
    faults += [f"{entries[name]} has lost its value; put it back" for name in kept if answers[name] is None]
    read = {name: str(answer) for name, answer in answers.items() if answer and not isinstance(answer, Fault)}
    try:
        load_settings(kept | read)
    except ConfigurationError as error:
        return kept, [*faults, str(error)]
    return kept | read, faults


def _setting(variable: str) -> str:
    return variable.removeprefix("CM_").removesuffix("_SECRET").lower()


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def _kept(place: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in place.iterdir() if not path.suffix}


def _write(place: Path, values: Mapping[str, str]) -> None:
    for name in _changed(_kept(place), values):
        if name not in values:
            (place / name).unlink()
            continue
        scratch = place / f"{name}.new"
        scratch.write_text(values[name], encoding="utf-8")
        scratch.chmod(0o400)
        scratch.rename(place / name)


def main() -> int:
    """Renew, tell every fault, and return the exit code."""
    log.configure(given_settings({"log_format": "json"}), is_terminal=False)
    faults = renew(Path(sys.argv[1]), Path(sys.argv[2]))
    if not faults:
        return 0
    error = ConfigurationError("Secrets Manager did not give what the host needs:", faults)
    _journal.error(str(error))
    return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
