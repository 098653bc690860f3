"""What `catalog discover` proposes for an owner on GitHub, and what it refuses to invent."""

from __future__ import annotations

import asyncio
import io
import re
from typing import TYPE_CHECKING

import pytest

from community_metrics.catalog.edit import own_catalog, plan_additions
from community_metrics.catalog.files import init_catalog
from community_metrics.cli.discovery import Scope, Survey, owner_named, survey
from community_metrics.cli.mappers import discovery_body
from community_metrics.cli.render.discovery import render_survey
from community_metrics.cli.render.style import PlainConsole, glyphs_of
from community_metrics.errors import ConfigurationError, SourceError
from tests.support.clock import NOON, FakeClock
from tests.support.organisation import ACME, DOTNET, GEMS, PHP, ROCKET, Repository, serve
from tests.support.registry import Registry
from tests.support.replay import Replay
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from community_metrics.catalog import Catalog

LIMITED = Scripted(
    403,
    {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOON.timestamp()) + 1800)},
    body={"message": "API rate limit exceeded for 203.0.113.7."},
)


async def found(
    replay: Replay,
    scope: Scope | None = None,
    *,
    catalog: Catalog | None = None,
    token: str | None = None,
    say: Callable[[str], None] = lambda _line: None,
) -> Survey:
    settings = replay.settings(github_token=token)
    return await survey(scope or Scope("acme"), settings, FakeClock(NOON), catalog, say)


def proposed(survey: Survey) -> dict[str, str]:
    """Return where each proposal stands, by spec."""
    return {one.spec: " ".join(map(str, one.evidence)) for one in survey.proposals}


def refused(survey: Survey) -> dict[str, str]:
    """Return the reason by the place, or by the place and the name where a place has several."""
    return {f"{one.evidence} {one.subject or ''}".strip(): one.reason for one in survey.not_proposed}


@pytest.fixture(scope="module")
def read() -> tuple[Survey, list[str]]:
    """The whole organisation, read once, and what was asked for it."""
    with Replay(Registry(NOON.date())) as replay:
        serve(replay, ACME, a_page=5)
        return asyncio.run(found(replay)), replay.paths


@pytest.fixture
def acme(read: tuple[Survey, list[str]]) -> Survey:
    return read[0]


@pytest.fixture
def paths(read: tuple[Survey, list[str]]) -> list[str]:
    return read[1]


def test_every_manifest_is_proposed_with_its_file_and_line(acme: Survey) -> None:
    assert proposed(acme) == {
        "github:acme/Rocket": "acme/Rocket",
        "pypistats:acme-rocket": "acme/Rocket pyproject.toml:6 acme/renamed py/pyproject.toml:2",
        "npm:@acme/rocket": "acme/Rocket packages/core/package.json:2 acme/renamed js/package.json:1",
        "crates:acme-rocket": "acme/Rocket crates/rocket/Cargo.toml:2",
        "docker:acme/rocket": "acme/Rocket .github/workflows/release.yml:14",
        "docker:acme/rocket-tools": "acme/Rocket .github/workflows/release.yml:26",
        "huggingface:acme/rocket-base": "acme/Rocket README.md:3",
        "huggingface:datasets/Acme/flights": "acme/Rocket README.md:4",
        "github:acme/gems": "acme/gems",
        "rubygems:acme": "acme/gems acme.gemspec:2",
        "github:acme/dotnet": "acme/dotnet",
        "nuget:Acme.Client": "acme/dotnet src/Client/Client.csproj:3",
        "github:acme/php": "acme/php",
        "packagist:acme/client": "acme/php composer.json:2",
        "github:acme/editor": "acme/editor",
        "open-vsx:acme/rocket": "acme/editor package.json:1",
        "github:acme/renamed": "acme/renamed",
        "github:acme/broken": "acme/broken",
        "github:acme/template": "acme/template",
    }
    assert acme.unverified == {}


def test_an_evidence_links_to_the_line_on_github(acme: Survey) -> None:
    (crate,) = (one for one in acme.proposals if one.source == "crates")
    address = "https://github.com/acme/Rocket/blob/main/crates/rocket/Cargo.toml#L2"
    assert [place.url for place in crate.evidence] == [address]


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("Rocket package.json:3 rocket-root", "it is private, the root of a workspace"),
        ("Rocket packages/tools/package.json:1 @acme/tools", "it is private"),
        ("Rocket packages/inner/package.json:1 @acme/inner", "it is published elsewhere"),
        ("Rocket Cargo.toml", "only a workspace, whose members are read by themselves"),
        ("Rocket crates/inner/Cargo.toml:2 acme-inner", "it is private: publish = false"),
        ("Rocket crates/shared/Cargo.toml:2 acme-shared", "its workspace decides"),
        ("Rocket examples", "2 manifests of a folder of tests, examples or copies, not read"),
        ("Rocket web/node_modules", "1 manifest of a folder"),
        ("Rocket .github/workflows/release.yml:15 images.acme.example/acme/rocket", "another registry"),
        ("Rocket .github/workflows/release.yml:27 ${{ env.IMAGE }}", "its name is dynamic"),
        ("Rocket README.md:5 others/bert", "it belongs to others on Hugging Face"),
        ("gems made.gemspec:2", "its name is dynamic: Acme::NAME"),
        ("gems own.gemspec:2 own", "it is published elsewhere"),
        ("dotnet src/Tool/Acme.Tool.csproj", "it has no PackageId; if it is published, its name may be"),
        ("dotnet src/Made/Made.csproj:1 Acme.$(Flavour)", "its name is a template"),
        ("dotnet src/Inner/Inner.csproj:1", "it is private: IsPackable is false"),
        ("dotnet src/Broken/Broken.csproj", "it is not valid XML"),
        ("dotnet src/Bomb/Bomb.csproj", "it declares entities of XML, which are not read"),
        ("dotnet Dockerfile", "a Dockerfile does not name its image"),
        ("renamed pyproject.toml:2 no-such-new-name", "the registry does not have it"),
        ("broken pyproject.toml", "it is not valid TOML"),
        ("broken package.json", "it is not valid JSON"),
        ("broken list/package.json", "it is not a JSON object"),
        ("broken deep/package.json", "it is not valid JSON"),
        ("broken Cargo.toml", "it has 2,000,000 bytes, more than the 500,000 that are read"),
        ("broken composer.json", "it is not UTF-8 text"),
        ("broken nameless/package.json", "it has no name"),
        ("broken nameless/Cargo.toml:1", "it has no name"),
        ("broken nameless/pyproject.toml", "it has no name; one in setup.py or setup.cfg is not read"),
        ("broken nameless/x.gemspec", "it has no name"),
        ("broken", "GitHub lists only a part of its files"),
        ("template package.json:1 {{ name }}", "its name is a template"),
        ("template pyproject.toml:1", "its name is dynamic"),
        ("template Cargo.toml:2 __NAME__", "its name is a template"),
        ("template app/pyproject.toml:2 acme-app", "it is private: a classifier keeps it off PyPI"),
        ("template script/pyproject.toml:2 acme-script", "it says that it is no package"),
        (f"template long/package.json:1 {'x' * 300}…", "xxx"),
        ("template odd/package.json:1 Not A Name", "is not an npm package name"),
    ],
)
def test_what_is_not_proposed_has_its_reason(acme: Survey, place: str, reason: str) -> None:
    assert reason in refused(acme)[f"acme/{place}"]


def test_nothing_else_is_refused(acme: Survey) -> None:
    assert len(acme.not_proposed) == 38


def test_forks_and_archived_ones_are_left_out_and_named(acme: Survey, paths: list[str]) -> None:
    assert (acme.found.forks, acme.found.archived) == (("Fork-of-others",), ("old",))
    assert [path for path in paths if "Fork-of-others" in path or "/old/" in path] == []


def test_a_repository_that_is_gone_or_empty_is_named_and_the_others_are_read(acme: Survey) -> None:
    gone, empty = acme.found.unread
    assert (gone.repository, "404" in gone.reason) == ("acme/gone", True)
    assert (empty.repository, empty.reason) == ("acme/empty", "it is empty")
    assert not acme.complete
    assert acme.found.stopped is None
    assert len(acme.found.read) == 8


def test_every_page_of_the_list_is_read(acme: Survey, paths: list[str]) -> None:
    pages = [path for path in paths if path.startswith("/users/acme/repos")]
    assert [path[-1] for path in pages] == ["1", "2", "3"]
    assert acme.found.listed == len(ACME)


async def test_a_limit_midway_keeps_what_was_found_and_names_what_was_not_read(replay: Replay) -> None:
    serve(replay, [ROCKET, GEMS, DOTNET, PHP])
    replay.always("/repos/acme/dotnet/git/blobs/*", LIMITED)
    part = await found(replay)
    assert {"pypistats:acme-rocket", "rubygems:acme"} <= proposed(part).keys()
    assert [one.repository for one in part.found.unread] == ["acme/dotnet", "acme/php"]
    assert "it accepts no request before 2026-11-23T12:30:00Z. Fix: set CM_GITHUB_TOKEN" in (
        part.found.stopped or ""
    )
    assert not part.complete


async def test_a_limit_on_a_later_page_of_the_list_is_said(replay: Replay) -> None:
    serve(replay, [GEMS, PHP], a_page=1)
    replay.always("/users/acme/repos?*&page=2", LIMITED)
    part = await found(replay)
    assert (part.proposals, part.found.listed, part.complete) == ((), 1, False)
    assert [one.repository for one in part.found.unread] == ["acme/gems"]
    assert "2026-11-23T12:30:00Z" in (part.found.stopped or "")


async def test_a_limit_on_the_first_request_is_an_error(replay: Replay) -> None:
    replay.always("/users/acme/repos*", LIMITED)
    with pytest.raises(SourceError, match=r"before 2026-11-23T12:30:00Z\. Fix: set CM_GITHUB_TOKEN"):
        await found(replay)


async def test_a_token_is_sent_and_its_limit_has_another_fix(replay: Replay) -> None:
    replay.always("/users/acme/repos*", LIMITED)
    with pytest.raises(SourceError) as caught:
        await found(replay, token="github_pat_1")
    assert "CM_GITHUB_TOKEN" not in str(caught.value)
    assert replay.requests[0].headers["authorization"] == "Bearer github_pat_1"


async def test_an_owner_that_github_does_not_have_is_named(replay: Replay) -> None:
    replay.always("/users/no-such/repos*", Scripted(404, body={"message": "Not Found"}))
    with pytest.raises(ConfigurationError, match="GitHub has no organisation or user 'no-such'"):
        await found(replay, Scope("no-such"))


@pytest.mark.parametrize("text", ["gitlab:acme", "github:acme/rocket", "a b", "", "-acme"])
def test_what_names_no_owner_is_refused_before_anything_is_asked(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"Fix: write github:OWNER"):
        owner_named(text)


async def test_an_organisation_without_repositories_proposes_nothing(replay: Replay) -> None:
    serve(replay, [])
    nothing = await found(replay)
    assert (nothing.proposals, nothing.commands, nothing.found.listed) == ((), [], 0)
    assert nothing.found.is_organisation is None


async def test_a_person_is_read_like_an_organisation_and_called_one(replay: Replay) -> None:
    serve(replay, [PHP], owner="ada", kind="User")
    one = await found(replay, Scope("ada"))
    assert one.found.is_organisation is False
    assert list(proposed(one)) == ["github:ada/php", "packagist:acme/client"]


def linking(replay: Replay, package: str, *urls: str) -> None:
    """Let the page of a package have links."""
    links = [{"label": "SOURCE_REPO", "url": url} for url in urls]
    replay.always(f"/v3/systems/{package}/versions/*", Scripted(body={"links": links}))


async def test_a_package_whose_page_links_back_says_so_and_any_other_is_to_be_looked_at(
    replay: Replay,
) -> None:
    serve(replay, [ROCKET, GEMS])
    linking(replay, "pypi/packages/acme-rocket", "https://acme.example", "https://github.com/Acme/rocket.git")
    linking(replay, "npm/packages/%40acme%2Frocket", "git+ssh://git@github.com/other/rocket.git")
    replay.always("/v3/systems/rubygems/*", Scripted(404, body={"message": "Not Found"}))
    one = await found(replay)
    assert {spec: (link.is_back, link.sentence) for spec, link in one.links.items()} == {
        "pypistats:acme-rocket": (True, "its page links back to github.com/Acme/rocket"),
        "npm:@acme/rocket": (
            False,
            "its page does not link back (it links to github.com/other/rocket): check that it is yours",
        ),
        "crates:acme-rocket": (
            False,
            "its page does not link back (it links to no repository on GitHub): check that it is yours",
        ),
        "rubygems:acme": (
            None,
            one.links["rubygems:acme"].sentence,
        ),
    }
    unknown = one.links["rubygems:acme"].sentence
    assert unknown.startswith("whether its page links back is not known: deps.dev: ")
    body = {proposal.spec: proposal for proposal in discovery_body(one).proposals}
    assert [body[spec].links_back for spec in one.links] == [True, False, False, None]
    assert (body["docker:acme/rocket"].links_back, body["docker:acme/rocket"].link) == (None, None)

    console = PlainConsole(width=200, file=io.StringIO())
    console.print(render_survey(one, glyphs_of(console)))
    assert isinstance(console.file, io.StringIO)
    printed = console.file.getvalue()
    assert "its page links back to github.com/Acme/rocket" in printed
    assert "check that it is yours" in printed
    assert "the registry has a package of this name: check that it is yours" in printed


async def test_before_deps_dev_is_asked_a_line_says_how_long_it_takes(replay: Replay) -> None:
    serve(replay, [GEMS])
    linking(replay, "rubygems/packages/acme", "https://acme.github.io/gems")
    lines: list[str] = []
    one = await found(replay, say=lines.append)
    [line] = [line for line in lines if line.startswith("Asking deps.dev about links of 1 package")]
    assert line.endswith(" to github.com/acme: 2 requests, one a second, about 2 seconds …")
    assert one.links["rubygems:acme"].sentence == "its page links back to acme.github.io/gems"


async def test_another_owner_whose_name_begins_alike_is_not_the_owner(replay: Replay) -> None:
    serve(replay, [GEMS])
    linking(
        replay,
        "rubygems/packages/acme",
        "https://github.com/acme-evil/acme",
        "https://nogithub.com/acme/acme",
    )
    one = await found(replay)
    assert one.links["rubygems:acme"].is_back is False


async def test_a_registry_that_is_down_leaves_a_proposal_unverified(replay: Replay) -> None:
    serve(replay, [GEMS])
    replay.always("/api/v1/gems/*", Scripted(500, body={}))
    one = await found(replay)
    assert "rubygems:acme" in proposed(one)
    assert "returned 500" in one.unverified["rubygems:acme"]


async def test_without_a_check_no_registry_is_asked(replay: Replay) -> None:
    serve(replay, [GEMS])
    one = await found(replay, Scope("acme", check=False))
    assert one.unverified == {"rubygems:acme": "--no-check: the registry was not asked"}
    assert one.links == {}
    asked = [path for path in replay.paths if path.startswith("/v3/") or "/gems/acme" in path]
    assert not [path for path in asked if "/repos/" not in path]


async def test_only_the_chosen_repositories_are_read_and_the_most_starred_first(replay: Replay) -> None:
    serve(replay, [PHP, GEMS, DOTNET])
    one = await found(replay, Scope("acme", only=("PHP", "gems")))
    assert one.found.read == ("acme/gems", "acme/php")
    limited = await found(replay, Scope("acme", limit=1))
    assert limited.found.read == ("acme/gems",)
    assert "--limit reads more" in limited.found.unread[0].reason
    with pytest.raises(ConfigurationError, match=r"phb; did you mean php\?"):
        await found(replay, Scope("acme", only=("phb",)))


async def test_a_repository_with_very_many_manifests_is_read_in_part_and_says_so(replay: Replay) -> None:
    files = {f"p{number:02}/package.json": f'{{"name": "p{number:02}"}}' for number in range(42)}
    serve(replay, [Repository("many", files)])
    one = await found(replay, Scope("acme", check=False))
    assert len(one.proposals) == 41
    assert "it is beyond the first 40 files" in refused(one)["acme/many p41/package.json"]


async def test_the_commands_add_every_proposal_to_a_catalogue(replay: Replay, tmp_path: Path) -> None:
    serve(replay, ACME)
    file = tmp_path / "catalog.toml"
    init_catalog(file)
    one = await found(replay)
    assert "--product rocket --name Rocket" in one.commands[0]
    addition = plan_additions(file, one.wanted(one.by_product))
    addition.write()
    assert {"downloads:rocket:python", "stars:gems:github"} <= set(addition.metric_ids)

    again = await found(replay, catalog=own_catalog(file))
    assert again.proposals == ()
    assert "counts it already, as downloads:rocket:python" in " ".join(refused(again).values())


def test_the_json_has_every_fact(acme: Survey) -> None:
    body = discovery_body(acme)
    assert len(body.proposals) == len(acme.proposals)
    assert len(body.not_proposed) == len(acme.not_proposed)
    assert (body.complete, body.forks, body.archived) == (False, ["Fork-of-others"], ["old"])
    assert all(re.match(r"https://github\.com/acme/", one.evidence[0].url) for one in body.proposals)
