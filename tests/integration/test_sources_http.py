from __future__ import annotations

import asyncio
import logging
import random
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from community_metrics.config import Settings
from community_metrics.errors import (
    SourceDenied,
    SourceError,
    SourceRateLimited,
    SourceShapeError,
    SourceUnreachable,
    TerminalSourceError,
    TransientSourceError,
    UnknownSubject,
)
from community_metrics.sources.client.client import RegistryClient
from community_metrics.sources.client.hosts import CRATES, GITHUB, NPM, PYPISTATS
from community_metrics.sources.client.retries import RequestLimits
from tests.support.clock import FakeClock
from tests.support.fetching import SUNDAY, client_of, fetch, fetch_all, wanted
from tests.support.origins import KEEP_SECRETS, LEAK_SECRETS
from tests.support.replay import Replay
from tests.support.scripted import Scripted, sample
from tests.support.wiretap import wiretap

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.registry import Registry

HASTY = RequestLimits(connect_s=0.2, read_s=0.2, attempt_s=0.5)
TOKEN = "ghp_" + "s3cret" * 6
GOOD = sample("crates_downloads_200")


@pytest.mark.parametrize(
    ("contact", "shown"),
    [
        ("ops@example.org", "mailto:ops@example.org"),
        ("mailto:ops@example.org", "mailto:ops@example.org"),
        ("https://example.org/@ops", "https://example.org/@ops"),
    ],
)
async def test_every_request_says_who_asks_and_how_to_reach_them(
    contact: str, shown: str, replay: Replay
) -> None:
    await fetch("crates", replay, wanted("lance"), contact=contact)
    assert (
        replay.requests[0].headers["user-agent"]
        == f"community-metrics/{version('community-metrics')} (+{shown})"
    )


@pytest.mark.parametrize(
    ("source", "pace_s"), [("pypistats", 2.5), ("crates", 1.1), ("npm", 5.0), ("github", 1.0)]
)
async def test_requests_to_one_host_start_at_its_pace(
    source: str, pace_s: float, replay: Replay, clock: FakeClock
) -> None:
    names = ("a/b", "c/d") if source == "github" else ("lance", "lancedb")
    await fetch_all(source, replay, *(wanted(name, since=SUNDAY) for name in names), clock=clock)
    pauses = len(replay.requests) - 1
    assert pauses == (1 if source == "github" else 2)  # the sentinel is a request as well
    assert clock.sleeps == [pytest.approx(pace_s)] * pauses


async def test_an_unpaced_client_does_not_pause(replay: Replay, clock: FakeClock) -> None:
    await fetch_all("crates", replay, wanted("lance"), wanted("lancedb"), clock=clock, paced=False)
    assert clock.sleeps == []


async def test_a_slow_host_does_not_hold_up_another(replay: Replay) -> None:
    replay.script("/downloads/*", Scripted(404, delay_s=0.5))
    done: list[str] = []
    async with client_of(replay) as client:

        async def ask(name: str, path: str) -> None:
            with pytest.raises(UnknownSubject, match="x"):
                await client.get_json(NPM if name == "npm" else CRATES, path, dict, source=name, subject="x")
            done.append(name)

        await asyncio.gather(ask("npm", "/downloads/x"), ask("crates", "/no-such"))
    assert done == ["crates", "npm"]


async def test_a_failure_that_passes_costs_waits_that_grow(replay: Replay, clock: FakeClock) -> None:
    replay.script("/api/v1/*", sample("crates_route_blocked_503"), sample("crates_route_blocked_503"))
    result = await fetch("crates", replay, wanted("lance"), clock=clock, paced=False)
    assert result.error is None
    first, second = clock.sleeps
    assert 1 <= first <= 1.5
    assert 2 <= second <= 3


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Scripted(body_text="<html>Checking your browser</html>"), id="a page with status 200"),
        pytest.param(Scripted(body={"version_downloads": [1] * 99}, truncate=True), id="cut connection"),
        pytest.param(
            Scripted(headers={"content-type": "application/json"}, body_text='{"version_'), id="cut JSON"
        ),
        pytest.param(Scripted(close=True), id="closed without an answer"),
        pytest.param(Scripted(500, body_text="500"), id="500"),
        pytest.param(Scripted(502, body_text="<html>Server Error</html>"), id="502"),
        pytest.param(Scripted(202, body={}), id="202"),
    ],
)
async def test_a_fault_that_stays_is_given_up_after_four_attempts(replay: Replay, reply: Scripted) -> None:
    replay.always("*", reply)
    result = await fetch("crates", replay, wanted("lance"))
    assert type(result.error) is TransientSourceError
    assert "given up after 4 attempts" in str(result.error)
    assert len(replay.requests) == 4


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (sample("crates_unknown_404"), UnknownSubject),
        (Scripted(451, body={}), UnknownSubject),
        (sample("crates_blocked_403"), SourceDenied),
        (Scripted(400, body={}), TerminalSourceError),
        (Scripted(304), TerminalSourceError),
        (Scripted(body={"version_downloads": []}), SourceShapeError),
        (Scripted(302), TerminalSourceError),
    ],
)
async def test_what_another_try_cannot_change_is_asked_once(
    replay: Replay, reply: Scripted, error: type[SourceError]
) -> None:
    replay.always("*", reply)
    result = await fetch("crates", replay, wanted("lance"))
    assert type(result.error) is error
    assert len(replay.requests) == 1


@pytest.mark.parametrize(
    "retry_after", ["90", "Mon, 23 Nov 2026 12:01:30 GMT", "Monday, 23-Nov-26 12:01:30 GMT"]
)
async def test_the_wait_a_registry_asks_for_is_kept_in_full(
    replay: Replay, clock: FakeClock, retry_after: str
) -> None:
    replay.script("*", Scripted(429, {"retry-after": retry_after}), GOOD)
    result = await fetch("crates", replay, wanted("lancedb"), clock=clock, paced=False)
    assert result.error is None
    assert clock.sleeps == [pytest.approx(90.5, abs=0.5)]


async def test_a_wait_that_is_too_long_is_not_cut_short_but_named(replay: Replay, clock: FakeClock) -> None:
    replay.always("*", sample("crates_rate_limited_429"))
    result = await fetch("crates", replay, wanted("lance"), clock=clock)
    assert isinstance(result.error, SourceRateLimited)
    assert "no request before 2026-11-23T17:00:00Z" in str(result.error)
    assert (len(replay.requests), clock.sleeps) == (1, [])


async def test_a_limit_that_stays_spares_the_host_the_remaining_subjects(
    replay: Replay, clock: FakeClock
) -> None:
    replay.always("/downloads/*", sample("npm_rate_limited_429"))
    results = await fetch_all("npm", replay, *(wanted(name) for name in "abcdef"), clock=clock)
    assert {type(result.error) for result in results} == {SourceRateLimited}
    assert [path[-1] for path in replay.paths] == ["a", "a", "b"]
    assert 60 <= clock.monotonic() - 1000 <= 180


async def test_a_limit_ends_when_the_registry_said(replay: Replay, clock: FakeClock) -> None:
    replay.script("*", Scripted(429, {"retry-after": "3600"}))
    async with client_of(replay, clock) as client:
        for _ in range(2):
            with pytest.raises(SourceRateLimited, match="429"):
                await client.get_json(
                    CRATES, "/api/v1/crates/a/downloads", dict, source="crates", subject="a"
                )
        clock.advance(3601)
        await client.get_json(CRATES, "/api/v1/crates/a/downloads", dict, source="crates", subject="a")
    assert len(replay.requests) == 2


async def test_a_host_that_swallows_every_packet_is_given_up_after_two_subjects(replay: Replay) -> None:
    replay.always("*", Scripted(hang=True))
    results = await fetch_all("crates", replay, *(wanted(name) for name in "abcdef"), limits=HASTY)
    assert {type(result.error) for result in results} == {SourceUnreachable}
    assert replay.paths == [
        *["/api/v1/crates/a/downloads?include=versions"] * HASTY.attempts,
        "/api/v1/crates/b/downloads?include=versions",
    ]
    assert "no request was sent, because an earlier one failed" in str(results[-1].error)


FAULTS_OF_ONE = [Scripted(hang=True), Scripted(429, body={"errors": []})]


@pytest.mark.parametrize("fault", FAULTS_OF_ONE, ids=["silent", "limited"])
async def test_one_silent_or_limited_subject_keeps_no_other_from_being_asked(
    replay: Replay, fault: Scripted
) -> None:
    for name in "ac":
        replay.always(f"/api/v1/crates/{name}/*", fault)
    replay.always("/api/v1/crates/d/*", Scripted(404, body={"errors": []}))
    results = await fetch_all("crates", replay, *(wanted(name) for name in "abcdef"), limits=HASTY)
    errors = [type(result.error) for result in results]
    silent = SourceUnreachable if fault.hang else SourceRateLimited
    assert errors == [silent, type(None), silent, UnknownSubject, type(None), type(None)]


async def test_a_body_that_trickles_is_cut_off(replay: Replay) -> None:
    replay.always("*", Scripted(body={"version_downloads": [1] * 99}, drip_s=0.1))
    result = await fetch("crates", replay, wanted("a"), limits=HASTY)
    assert isinstance(result.error, SourceUnreachable)
    assert result.error.url == f"{replay.origin}/api/v1/crates/a/downloads?include=versions"
    assert "no response in time (CM_SOURCE_URL_CRATES sets this address)" in result.error.message


async def test_a_refused_connection_names_the_origin(replay: Replay) -> None:
    result = await fetch("npm", replay, wanted("a"), source_url_npm="http://127.0.0.1:9")
    assert isinstance(result.error, SourceUnreachable)
    assert result.error.message == (
        "127.0.0.1:9 cannot be reached: connection refused (CM_SOURCE_URL_NPM sets this address)"
    )


def test_the_time_for_hosts_that_never_answer_is_well_under_90_s() -> None:
    assert RequestLimits().unreachable_s + RequestLimits().read_s + RequestLimits().attempt_s <= 90
    assert RequestLimits().connect_s * RequestLimits().attempts < RequestLimits().unreachable_s


async def test_an_answer_without_end_is_refused(replay: Replay) -> None:
    replay.always("*", Scripted(body=["x" * 1000]))
    result = await fetch("crates", replay, wanted("a"), limits=RequestLimits(max_bytes=1000))
    assert isinstance(result.error, SourceShapeError)
    assert "larger than 1,000 bytes" in str(result.error)


async def test_a_redirect_to_another_host_is_refused_and_takes_no_token_along(
    replay: Replay, registry: Registry
) -> None:
    with Replay(registry) as elsewhere:
        replay.always("/repos/*", Scripted(301, {"location": f"{elsewhere.origin}/repos/a/b"}))
        result = await fetch("github-history", replay, wanted("a/b"), github_token=TOKEN)
    assert isinstance(result.error, TerminalSourceError)
    assert "redirects to another host (127.0.0.1)" in str(result.error)
    assert elsewhere.requests == []


@pytest.mark.parametrize(
    ("location", "fault"), [("https://[bad/", "'https://[bad/'"), ("/" + "a" * 65_530, "URL too long")]
)
async def test_a_redirect_to_no_usable_address_fails_its_metric(
    location: str, fault: str, replay: Replay
) -> None:
    replay.always("/repos/*", Scripted(302, {"location": location}))
    result = await fetch("github", replay, wanted("a/b"))
    assert isinstance(result.error, TerminalSourceError)
    assert f"redirects to no usable address ({fault})" in str(result.error)
    assert len(replay.requests) == 1


async def test_a_redirect_without_an_address_is_named_as_one(replay: Replay) -> None:
    replay.always("/repos/*", Scripted(302))
    result = await fetch("github", replay, wanted("a/b"))
    assert "it redirects, but to no address (no Location header)" in str(result.error)
    assert "another host" not in str(result.error)


async def test_an_impossible_wait_fails_no_other_subject(replay: Replay, clock: FakeClock) -> None:
    replay.script("*", Scripted(429, {"retry-after": "Mon, 20 Nov 9999999999 12:00:00 GMT"}))
    results = await fetch_all("crates", replay, wanted("a"), wanted("b"), clock=clock)
    assert [result.error for result in results] == [None, None]
    assert max(clock.sleeps) >= CRATES.limit_wait_s


async def test_control_characters_of_a_registry_are_escaped_in_every_text_of_an_error(replay: Replay) -> None:
    replay.always("/repos/*", Scripted(302, {"location": "https://evil\x1b[2J.example/"}))
    failed = await fetch("github", replay, wanted("a/b"))
    error = {"type": "INTERNAL", "path": ["r0"], "message": "\x1b[2Jfine\u202e\r\nor not"}
    replay.always("/graphql", Scripted(body={"data": {"r0": None}, "errors": [error]}))
    told = await fetch("github", replay, wanted("a/b"), github_token=TOKEN)
    for text in (str(failed.error), str(told.error)):
        assert text.isprintable()
    assert r"\x1b[2Jfine\u202e or not" in str(told.error)


async def test_a_circle_of_redirects_ends(replay: Replay) -> None:
    replay.always("/repos/*", Scripted(302, {"location": "/repos/a/b"}))
    result = await fetch("github", replay, wanted("a/b"))
    assert isinstance(result.error, TerminalSourceError)
    assert len(replay.requests) == 4


async def test_the_token_goes_to_github_alone(replay: Replay) -> None:
    for source in ("pypistats", "npm", "crates", "github", "github-history"):
        await fetch(source, replay, wanted("a/b" if "github" in source else "a"), github_token=TOKEN)
    asked = {request.path for request in replay.requests if "authorization" in request.headers}
    assert asked == {"/graphql", "/repos/a/b/stargazers/history"}


@pytest.mark.parametrize(
    ("origin", "sent"),
    [*((origin, True) for origin in KEEP_SECRETS), *((origin, False) for origin in LEAK_SECRETS)],
)
def test_the_token_never_leaves_the_machine_in_the_clear(origin: str, sent: bool) -> None:
    settings = Settings(_env_file=None, github_token=TOKEN, source_url_github=origin)
    client = RegistryClient(settings, FakeClock(), random.Random(1))  # noqa: S311  jitter, no secret
    assert client.has_token_for(GITHUB) is sent
    assert not client.has_token_for(PYPISTATS)


@pytest.mark.parametrize(
    "reply",
    [
        Scripted(401, body={"message": "Bad credentials"}),
        Scripted(500),
        Scripted(close=True),
        Scripted(hang=True),
        Scripted(body={"data": None}),
        None,
    ],
)
async def test_the_token_is_in_no_log_no_error_and_no_row(
    replay: Replay, reply: Scripted | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    if reply is not None:
        replay.always("*", reply)
    for source in ("github", "github-history"):
        result = await fetch(source, replay, wanted("a/b"), github_token=TOKEN, limits=HASTY)
        assert TOKEN not in f"{result!r} {result.error!r} {result.error and result.error.__cause__!r}"
    assert replay.requests[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in caplog.text


async def test_no_request_leaves_the_replay_server(replay: Replay) -> None:
    with wiretap() as connected:
        for source in ("pypistats", "npm", "crates", "github", "github-history"):
            await fetch(source, replay, wanted("a/b" if "github" in source else "a"), paced=False)
    assert {f"http://{host}:{port}" for host, port in connected} == {replay.origin}


async def test_a_host_closed_for_maintenance_is_not_asked_before_it_reopens(replay: Replay) -> None:
    replay.always("*", Scripted(503, {"retry-after": "3600"}, body_text="maintenance"))
    results = await fetch_all("crates", replay, wanted("a"), wanted("b"))
    assert all("no request before 2026-11-23T13:00:00Z" in str(result.error) for result in results)
    assert len(replay.requests) == 1


async def test_neither_a_proxy_variable_nor_a_netrc_changes_who_is_asked(
    replay: Replay, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    result = await fetch("crates", replay, wanted("a"))
    assert result.error is None
    assert "authorization" not in replay.requests[0].headers
