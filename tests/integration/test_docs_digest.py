"""Every command of the page about the digest runs here, on the published history and a stand-in for Slack."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest
from pptx import Presentation

from tests.support.registry import Registry
from tests.support.replay import Replay
from tests.support.scripted import Scripted
from tests.support.shell import DOCS, blocks_of, shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READ, DECK, AGAIN = blocks_of("digest.md")
HOOK = "/services/T000/B000/XXXX"
BUSY_S = 280
"""Each command starts Python anew, which takes seconds on a busy machine."""
pytestmark = pytest.mark.timeout(2 * BUSY_S)


@pytest.fixture(scope="module")
def registries() -> Iterator[Replay]:
    with Replay(Registry(datetime.now(UTC).date())) as replay:
        replay.always(HOOK, Scripted(body_text="ok"))
        yield replay


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, registries: Replay) -> Path:
    """Return a folder with the published history, and the first target of the page in its catalogue."""
    folder = tmp_path_factory.mktemp("digest")
    page = (DOCS / "digest.md").read_text(encoding="utf-8")
    (target, *_) = re.findall(r"^(\[\[delivery\]\]\n.*?)\n\n", page, re.DOTALL | re.MULTILINE)
    catalog = files("community_metrics").joinpath("catalog/catalog.toml").read_text(encoding="utf-8")
    (folder / "my-catalog.toml").write_text(f"{catalog}\n{target}\n", encoding="utf-8")
    done = shell("community-metrics seed", folder, registries.environment(), timeout_s=BUSY_S)
    assert done.returncode == 0, done.stderr
    return folder


def test_a_digest_is_printed_of_a_week_a_month_and_a_quarter(folder: Path, registries: Replay) -> None:
    done = shell(READ, folder, registries.environment(), timeout_s=BUSY_S)
    assert done.returncode == 0, done.stderr
    found = re.findall(r"\b(week 20\d\d-W\d\d|month 20\d\d-\d\d|quarter 2026-Q3) \(", done.stdout)
    assert [one.partition(" ")[0] for one in dict.fromkeys(found)] == ["week", "month", "quarter"]
    assert "\n## " in done.stdout  # that of the month is Markdown


def test_the_slides_are_a_file_of_powerpoint(folder: Path, registries: Replay) -> None:
    install, _, script = DECK.partition("\n")
    # the extra is a part of this environment: `test_package` installs it from a wheel
    assert install == "pip install 'community-metrics[deck]'"
    done = shell(script, folder, registries.environment(), timeout_s=BUSY_S)
    assert done.returncode == 0, done.stderr
    assert len(Presentation(str(folder / "deck.pptx")).slides) > 2


def test_a_digest_is_sent_again_to_the_target_of_the_page(folder: Path, registries: Replay) -> None:
    environment = registries.environment() | {
        "CM_CATALOG": str(folder / "my-catalog.toml"),
        "CM_DELIVERY_URL_TEAM": f"{registries.origin}{HOOK}",
    }
    done = shell(AGAIN, folder, environment, timeout_s=BUSY_S)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [request.path for request in registries.requests if request.path == HOOK] == [HOOK]
    assert "2026-W47" in done.stdout
