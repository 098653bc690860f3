"""How catalogue files are written: new ones never over another file, changed ones in one step."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from community_metrics.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_STARTER = Path(__file__).with_name("starter.toml")


def starter_content() -> bytes:
    """Return the commented starter without any entry."""
    return _STARTER.read_bytes()


def init_catalog(path: Path) -> None:
    """Write a commented starter without any entry; an existing file is never overwritten.

    Raises:
        ConfigurationError: `path` exists already or is not writable.
    """
    try:
        with path.open("xb") as file:
            file.write(starter_content())
    except FileExistsError as error:
        raise ConfigurationError(
            f"{path} exists already and was not changed. Fix: choose another name, or use the file: "
            f"export CM_CATALOG={path}"
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written: {error.strerror}. Fix: choose another folder."
        ) from error


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that does not exist yet; of a secret one only the owner gets rights."""

    path: Path
    content: bytes
    is_secret: bool = False


def require_absent(paths: Iterable[Path]) -> None:
    """Raise a ConfigurationError that names every one of these files that exists."""
    if present := [str(path) for path in paths if os.path.lexists(path)]:
        verb = "exists" if len(present) == 1 else "exist"
        raise ConfigurationError(
            f"{' and '.join(present)} {verb} already, and nothing was changed. Fix: run this in an empty "
            "folder, or extend the catalogue that is here: community-metrics catalog discover github:OWNER"
        )


def write_new_files(files: Sequence[NewFile]) -> None:
    """Write new files of one folder: all of them, or none.

    A file that exists is never overwritten, also one that appears meanwhile: a complete file gets its name as
    a second link, which fails where the name is taken.

    Raises:
        ConfigurationError: a file exists or cannot be written; none of the others was kept.
    """
    require_absent(file.path for file in files)
    made: list[Path] = []
    try:
        with tempfile.TemporaryDirectory(dir=files[0].path.parent, prefix=".new.") as folder:
            for file in files:
                complete = Path(folder, file.path.name)
                _write(file, complete)
                file.path.hardlink_to(complete)
                made.append(file.path)
    except OSError as error:
        for path in made:
            path.unlink()
        raise ConfigurationError(
            f"{' and '.join(str(file.path) for file in files)} cannot be written: {error.strerror}. Nothing "
            "was changed. Fix: run this in an empty folder that you can write to."
        ) from error


def _write(file: NewFile, place: Path) -> None:
    rights = 0o600 if file.is_secret else 0o666  # what the umask removes is removed
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, rights), "wb") as out:
        out.write(file.content)
        out.flush()
        os.fsync(out.fileno())


def replace_file(file: Path, content: bytes) -> None:
    """Write a catalogue file in one step, with its permissions.

    Raises:
        ConfigurationError: the file is not writable; it was not changed.
    """
    target = file.resolve()  # a symbolic link stays one
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as folder:
            new = Path(folder, target.name)
            with new.open("wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            shutil.copymode(target, new)
            new.replace(target)
    except OSError as error:
        raise ConfigurationError(
            f"{file} cannot be written: {error.strerror}. Nothing was changed. Fix: set CM_CATALOG to a file "
            "in a folder that you can write to."
        ) from error
