from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from community_metrics import log
from community_metrics.config import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = 'sk-"quoted"-1234'


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def settings(**values: Any) -> Settings:
    return Settings(_env_file=None, github_token=SECRET, **values)


def test_without_a_terminal_every_event_is_one_line_of_json(
    capfd: pytest.CaptureFixture[str],
) -> None:
    log.configure(settings(), is_terminal=False)
    structlog.get_logger("a").info("run started", job="weekly_refresh")
    logging.getLogger("b").warning("plain %s", "words")
    ours, theirs = (json.loads(line) for line in capfd.readouterr().err.splitlines())
    assert (ours["event"], ours["job"], ours["level"], ours["logger"]) == (
        "run started",
        "weekly_refresh",
        "info",
        "a",
    )
    assert (theirs["event"], theirs["level"], theirs["logger"]) == ("plain words", "warning", "b")


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_secret_is_redacted_in_our_lines_and_those_of_libraries(
    form: str, capfd: pytest.CaptureFixture[str]
) -> None:
    log.configure(settings(log_format=form), is_terminal=False)
    try:
        int(SECRET)  # its message quotes the secret
    except ValueError:
        structlog.get_logger().exception("failed", header=f"Bearer {SECRET}")
        logging.getLogger("b").exception("token %s", SECRET)
    written = capfd.readouterr().err
    assert log.REDACTED in written
    assert "1234" not in written


def test_the_configured_format_overrides_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    log.configure(settings(log_format="json"), is_terminal=True)
    structlog.get_logger().info("hello")
    assert json.loads(capfd.readouterr().err)["event"] == "hello"


def test_quiet_drops_info_lines_and_keeps_warnings(
    capfd: pytest.CaptureFixture[str],
) -> None:
    log.configure(settings(), is_terminal=False, least=logging.WARNING)
    structlog.get_logger().info("metric fetched")
    structlog.get_logger().warning("metric failed")
    written = capfd.readouterr().err
    assert "metric failed" in written
    assert "metric fetched" not in written
