"""The client that answers from what another one kept, and what that one keeps."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
import structlog
from pydantic import AliasChoices, Field

from community_metrics.errors import SourceError, SourceShapeError, TerminalSourceError
from community_metrics.sources import ResponseModel
from community_metrics.sources.client.client import RegistryClient
from community_metrics.sources.client.hosts import GITHUB
from community_metrics.sources.client.replayed import ReplayedClient
from tests.support.clock import FakeClock
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from community_metrics.sources.client.client import ParsedReply
    from community_metrics.sources.client.recording import Answer
    from tests.support.replay import Replay

TOKEN = "ghp_0123456789"


class Total(ResponseModel):
    total: int


class Renamed(ResponseModel):
    count: int = Field(validation_alias=AliasChoices("count", "total"))


@dataclass
class Answers:
    """Keeps everything that it is shown, of one source."""

    source: str = "x"
    taken: list[Answer] = field(default_factory=list)

    def wants(self, source: str) -> bool:
        return source == self.source

    def note(self, answer: Answer) -> None:
        self.taken.append(answer)


async def ask(
    client: RegistryClient, path: str = "/total", model: type[ResponseModel] = Total
) -> ParsedReply[ResponseModel]:
    return await client.get_json(GITHUB, path, model, source="x", subject="a/b")


def recording(replay: Replay, recorder: Answers, **settings: str) -> RegistryClient:
    rng = random.Random(0)  # noqa: S311  jitter
    return RegistryClient(replay.settings(**settings), FakeClock(), rng, paced=False, recorder=recorder)


def replayed(replay: Replay, answers: Iterable[Answer]) -> ReplayedClient:
    return ReplayedClient(replay.settings(), FakeClock(), answers)


async def test_a_kept_answer_is_the_same_reply_without_a_request(replay: Replay) -> None:
    recorder = Answers()
    replay.script("/total", Scripted(301, headers={"Location": f"{replay.origin}/moved"}))
    headers = {"Link": "<https://x>", "Set-Cookie": "session=1"}
    replay.script("/moved", Scripted(body={"total": 3, "owner": "ada"}, headers=headers))
    async with recording(replay, recorder) as client:
        first = await ask(client)
    replay.stop()
    async with replayed(replay, recorder.taken) as client:
        again = await ask(client)
    assert again.body == first.body
    same = ("public_url", "path", "status", "at", "source", "subject")
    assert [getattr(again.reply, name) for name in same] == [getattr(first.reply, name) for name in same]
    assert again.reply.body == b'{"total":3}'
    assert again.reply.headers["link"] == "<https://x>"
    assert "set-cookie" not in again.reply.headers


async def test_a_request_that_was_sent_twice_has_both_answers_in_their_order(replay: Replay) -> None:
    recorder = Answers()
    replay.script("/total", *(Scripted(body={"total": total}) for total in (1, 2)))
    async with recording(replay, recorder) as client:
        first = [(await ask(client)).body for _ in range(2)]
    async with replayed(replay, recorder.taken) as client:
        assert [(await ask(client)).body for _ in range(2)] == first


async def test_a_request_without_a_kept_answer_is_a_clear_error_and_is_not_sent(replay: Replay) -> None:
    async with replayed(replay, []) as client:
        with pytest.raises(
            TerminalSourceError, match="no answer to this request was kept, and a replay sends"
        ):
            await ask(client)
    assert replay.requests == []


async def test_a_field_that_was_not_kept_is_named(replay: Replay) -> None:
    class More(ResponseModel):
        total: int
        owner: str

    recorder = Answers()
    replay.script("/total", Scripted(body={"total": 3, "owner": "ada"}))
    async with recording(replay, recorder) as client:
        await ask(client)
    async with replayed(replay, recorder.taken) as client:
        with pytest.raises(SourceShapeError, match=r"a kept answer cannot be read: .*owner: Field required"):
            await ask(client, model=More)


@pytest.mark.parametrize(("token", "sent"), [(None, False), (TOKEN, True)])
async def test_whether_a_token_was_sent_is_kept_and_not_the_token(
    replay: Replay, token: str | None, sent: bool
) -> None:
    recorder = Answers()
    replay.script("/total", Scripted(body={"total": 3}))
    async with recording(replay, recorder, **({"github_token": token} if token else {})) as client:
        await ask(client)
    assert [answer.authorized for answer in recorder.taken] == [sent]
    assert TOKEN not in repr(recorder.taken)
    async with replayed(replay, recorder.taken) as client:
        assert client.has_token_for(GITHUB) is sent


@pytest.mark.parametrize(
    "reply",
    [Scripted(404, body={"message": "Not Found"}), Scripted(200, body_text="<html>"), Scripted(403, body={})],
    ids=["unknown", "web page", "denied"],
)
async def test_a_reply_that_no_parser_read_is_not_kept(replay: Replay, reply: Scripted) -> None:
    recorder = Answers()
    replay.always("/total", reply)
    async with recording(replay, recorder) as client:
        with pytest.raises(SourceError, match="127"):
            await ask(client)
    assert recorder.taken == []


async def test_the_answers_of_other_sources_are_not_kept(replay: Replay) -> None:
    recorder = Answers("another")
    replay.script("/total", Scripted(body={"total": 3}))
    async with recording(replay, recorder) as client:
        await ask(client)
    assert recorder.taken == []


async def test_an_answer_that_would_read_as_something_else_is_not_kept(replay: Replay) -> None:
    recorder = Answers()
    replay.script("/total", Scripted(body={"total": 3}))
    with structlog.testing.capture_logs() as logs:
        async with recording(replay, recorder) as client:
            assert (await ask(client, model=Renamed)).body == Renamed(count=3)
    assert recorder.taken == []
    assert [(line["event"], line["log_level"]) for line in logs] == [("answer not kept", "warning")]
