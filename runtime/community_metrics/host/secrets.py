"""Secrets on the host: `python -m community_metrics.host.secrets NAMES FOLDER`, at boot and every 15 minutes.

NAMES says which entries of Secrets Manager each reader gets. Their values go to FOLDER/READER/SETTING on a
tmpfs, from where `LoadCredential=` hands them to that reader's units alone. A value is written only when the
settings as a whole can be used with it: what was there before goes on serving, and the fault is told.
Nothing at all is written while an entry without a value here cannot be read: it may hold the API's tokens.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from community_metrics import log
from community_metrics.aws.secrets import Fault, read_entries
from community_metrics.config import SECRETS_COMPLETE, given_settings, load_settings
from community_metrics.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

RENEWED: Final = "renewed"
"""The file in FOLDER that says: an API that runs holds other values than those in Secrets Manager."""
_API: Final = "api"
_WITHHELD: Final = (
    "nothing new is handed over until each of its entries is read or known to have no value; mend the above. "
    "It is tried again within 5 minutes, and at once by `sudo systemctl start community-metrics-secrets`"
)
_journal = structlog.get_logger("community_metrics.host")


def renew(names: Path, folder: Path) -> list[str]:
    """Read every entry, write what can be used, and return the faults that were met."""
    faults = []
    for reader, entries in json.loads(names.read_text(encoding="utf-8")).items():
        place = folder / reader
        before = _kept(place)
        after, met = _renewed(before, {_setting(variable): name for variable, name in entries.items()})
        faults += [f"{reader}: {fault}" for fault in met]
        if after is None:
            continue
        if after != before:
            if reader == _API:
                # before the values: killed in between, the API is restarted once too often, and not never;
                # also where there was nothing: an API without tokens runs already, open to everybody
                (folder / RENEWED).touch()
            _write(place, after)
            _journal.info("secrets renewed", reader=reader, settings=_changed(before, after))
        (place / SECRETS_COMPLETE).touch(0o400)  # last: whoever finds it finds every value
    return faults


def _renewed(
    before: Mapping[str, str], entries: Mapping[str, str]
) -> tuple[dict[str, str] | None, list[str]]:
    """Return the values to go on with, None to leave all as it is, and what was wrong with those read."""
    answers = read_entries(entries)
    kept = {name: value for name, value in before.items() if name in entries}
    faults: list[str] = [answer for answer in answers.values() if isinstance(answer, Fault)]
    if any(isinstance(answer, Fault) for name, answer in answers.items() if name not in kept):
        return None, [*faults, _WITHHELD]
    # also where the entry is there and empty: the tokens of an API must not lapse unseen
    faults += [f"{entries[name]} has lost its value; put it back" for name in kept if answers[name] is None]
    read = {name: str(answer) for name, answer in answers.items() if answer and not isinstance(answer, Fault)}
    try:
        load_settings(kept | read)
    except ConfigurationError as error:
        return None, [*faults, str(error)]
    return kept | read, faults


def _setting(variable: str) -> str:
    return variable.removeprefix("CM_").removesuffix("_SECRET").lower()


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def _kept(place: Path) -> dict[str, str]:
    values = (path for path in place.iterdir() if not path.suffix and path.name != SECRETS_COMPLETE)
    return {path.name: path.read_text(encoding="utf-8") for path in values}


def _write(place: Path, values: Mapping[str, str]) -> None:
    for name in _changed(_kept(place), values):
        if name not in values:
            (place / name).unlink()
            continue
        scratch = place / f"{name}.new"
        scratch.unlink(missing_ok=True)  # one that a kill left may only be read
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
