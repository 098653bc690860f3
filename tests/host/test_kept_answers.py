"""Answers that the edge keeps: for how long, for whom, and when the API is gone."""

from __future__ import annotations

import struct
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.host.addresses import CLIENTS
from tests.host.answers import HEALTH, PAGE, edge_cache, problem_of
from tests.host.waiting import eventually

if TYPE_CHECKING:
    import httpx

    from tests.host.box import Box
    from tests.host.world import World

API = "community-metrics-api"
# of an answer of the API: kept this long without a question, and this much longer while it is asked anew
FRESH_S, REVALIDATED_S = 60, 600


def test_a_public_answer_is_kept_and_told_again(world: World, box: Box) -> None:
    path = "/api/v1/dashboard/weekly?weeks=8"
    first, second = world.get(path), world.get(path)

    assert (edge_cache(first), edge_cache(second)) == ("fwd=miss", "hit")
    assert first.content == second.content


@pytest.mark.parametrize("path", [HEALTH, "/api/v1/ready", "/api/v1/export/metrics.csv", "/api/v1/none"])
def test_what_must_not_be_kept_is_asked_for_each_time(world: World, box: Box, path: str) -> None:
    world.get(path)

    assert edge_cache(world.get(path)) in {"", "fwd=miss"}


def test_a_request_with_a_token_neither_gets_nor_leaves_a_kept_answer(world: World, box: Box) -> None:
    path = "/api/v1/dashboard/weekly?weeks=9"
    token = {"Authorization": "Bearer of-somebody"}
    asked = [edge_cache(world.get(path, headers=headers)) for headers in (token, {}, token)]

    assert asked == ["fwd=bypass", "fwd=miss", "fwd=bypass"]


def test_each_origin_and_each_form_has_an_answer_of_its_own(world: World, box: Box) -> None:
    series = "/api/v1/series/downloads:lance:python"
    origins = [{"Origin": PAGE}, {}, {"Origin": "https://example.net"}, {"Origin": PAGE}]
    answers = [world.get(series, headers=headers) for headers in origins]
    forms = [
        world.get(series, headers={"Accept": form}) for form in ("text/csv", "application/json", "text/csv")
    ]

    allowed = [answer.headers.get("access-control-allow-origin") for answer in answers]
    assert allowed == [PAGE, None, None, PAGE]
    assert [answer.headers["content-type"].partition(";")[0] for answer in forms] == [
        "text/csv", "application/json", "text/csv",
    ]  # fmt: skip
    assert edge_cache(answers[3]) == edge_cache(forms[2]) == "hit"


def test_many_who_ask_for_what_is_not_kept_yet_cost_the_api_one_answer(world: World, box: Box) -> None:
    path = "/api/v1/dashboard/daily?days=33"
    with ThreadPoolExecutor(8) as callers:
        asked = [callers.submit(world.get, path, source=source) for source in CLIENTS[:8]]
        bodies = {one.result().content for one in asked}
    count = box.succeeds(f"journalctl --quiet --output=cat --unit={API} | grep -c '/dashboard/daily'")

    assert len(bodies) == 1
    assert int(count) == 1


def test_a_stale_answer_is_told_at_once_while_a_new_one_is_fetched(world: World, box: Box) -> None:
    path = "/api/v1/dashboard/weekly?weeks=6"
    world.get(path)
    age(box, path, FRESH_S + 5)

    first = world.get(path)

    assert edge_cache(first) == "hit; detail=stale"
    assert "x-data-stale" not in first.headers  # nothing is wrong, it is only being renewed
    eventually(lambda: is_fresh(world.get(path)), 5)


def test_when_the_api_is_gone_what_is_kept_is_told_with_a_mark(world: World, box: Box) -> None:
    path = "/api/v1/dashboard/weekly?weeks=7"
    world.get(path)
    box.succeeds(f"systemctl stop {API}.socket {API}.service")
    try:
        age(box, path, FRESH_S + REVALIDATED_S + 5)
        kept = [world.get(path) for _ in range(3)]
        unknown = world.get("/api/v1/dashboard/weekly?weeks=11")
        health = world.get(HEALTH)
    finally:
        box.succeeds(f"systemctl start {API}.socket {API}.service")

    assert [(answer.status_code, answer.headers.get("x-data-stale")) for answer in kept] == [
        (200, "true")
    ] * 3
    assert problem_of(unknown) == problem_of(health) == (502, "service-unavailable")
    assert unknown.headers["retry-after"] == "5"
    eventually(lambda: world.get(HEALTH).raise_for_status(), 20)
    assert "x-data-stale" not in world.get(path).headers


def age(box: Box, path: str, seconds: int) -> None:
    """Let a kept answer have been kept for so much longer; its file begins with what it may be told until."""
    (kept,) = (
        file
        for file in box.file("/var/cache/nginx/answers").rglob("*")
        if file.is_file() and f"KEY: {path} " in file.read_bytes()[:2000].decode("latin-1")
    )
    content = bytearray(kept.read_bytes())
    version, fresh_until, revalidated_until, *_ = struct.unpack_from("=6q", content)
    assert version == 5, "nginx keeps its answers in another form than this test knows"
    struct.pack_into("=2q", content, 8, fresh_until - seconds, revalidated_until - seconds)
    kept.write_bytes(content)


def is_fresh(answer: httpx.Response) -> bool:
    assert edge_cache(answer) == "hit"
    return True
