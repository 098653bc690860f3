"""Write a new `host_generation` to a deployment file, for `make replace-host`.

The next deploy then replaces the host, with nothing else changed. The value stays in the file, so the deploy
after that replaces nothing.
"""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from infra.settings import SettingsError, load_settings

_LINE = re.compile(r"^host_generation\s*=.*\n?", re.MULTILINE)


def write_generation(path: Path, generation: str) -> None:
    """Write the generation as the first line, where no table of the file can include it.

    Raises:
        SettingsError: the file is missing or invalid, or it is for Lambda.
    """
    if load_settings(path).serverless:
        raise SettingsError(f"{path} has serverless = true: there is no host to replace.")
    rest = _LINE.sub("", path.read_text(encoding="utf-8"))
    path.write_text(f'host_generation = "{generation}"\n{rest}', encoding="utf-8")


def main(path: Path) -> int:
    """Use this instant as the generation, and return the exit code."""
    generation = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    try:
        write_generation(path, generation)
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201  a command's message
        return 2
    print(f"{path}: host_generation = {generation}")  # noqa: T201  as above
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
