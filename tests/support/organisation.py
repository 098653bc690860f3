"""An owner on GitHub as its API shows it: repositories, their files, and the faults that a test wants.

`ACME` is an organisation with every kind of manifest, and with the traps of each.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from community_metrics.sources.client.hosts import DOCKER, HUGGING_FACE
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.support.replay import Replay


@dataclass(frozen=True)
class Repository:
    """A repository: its files by path. `tree` replaces the answer about its files."""

    name: str
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    stars: int = 0
    fork: bool = False
    archived: bool = False
    truncated: bool = False
    sizes: Mapping[str, int] = field(default_factory=dict)
    tree: Scripted | None = None


def listed(owner: str, one: Repository, kind: str = "Organization") -> dict[str, Any]:
    """Return a repository as a list has it."""
    return {
        "id": 1000 + len(one.name),
        "name": one.name,
        "full_name": f"{owner}/{one.name}",
        "private": False,
        "owner": {"login": owner, "id": 7, "type": kind},
        "fork": one.fork,
        "archived": one.archived,
        "disabled": False,
        "default_branch": "main",
        "stargazers_count": one.stars,
    }


def tree_of(one: Repository) -> dict[str, Any]:
    """Return the files of a repository, its folders among them, and a link that must not be followed."""
    folders = {path.rpartition("/")[0] for path in one.files} - {""}
    entries: list[dict[str, Any]] = [
        {"path": path, "mode": "040000", "type": "tree", "sha": "0" * 40} for path in sorted(folders)
    ]
    entries += [
        {
            "path": path,
            "mode": "100644",
            "type": "blob",
            "sha": sha_of(text),
            "size": one.sizes.get(path, len(text)),
        }
        for path, text in one.files.items()
    ]
    entries.append(
        {"path": "linked/package.json", "mode": "120000", "type": "blob", "sha": "1" * 40, "size": 9}
    )
    return {"sha": "2" * 40, "url": "…", "tree": entries, "truncated": one.truncated}


def blob_of(text: str | bytes) -> dict[str, Any]:
    """Return a file as GitHub sends it: base64 in lines."""
    content = base64.encodebytes(_bytes(text)).decode()
    return {"sha": sha_of(text), "size": len(text), "content": content, "encoding": "base64"}


def sha_of(text: str | bytes) -> str:
    return hashlib.sha1(_bytes(text), usedforsecurity=False).hexdigest()


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def serve(
    replay: Replay,
    repositories: Sequence[Repository],
    *,
    owner: str = "acme",
    kind: str = "Organization",
    a_page: int = 100,
) -> None:
    """Let the loopback server answer for an owner, `a_page` repositories on each page of the list."""
    pages = [repositories[start : start + a_page] for start in range(0, len(repositories), a_page)] or [[]]
    for number, page in enumerate(pages, 1):
        address = f"https://api.github.com/user/7/repos?page={number + 1}"
        headers = {"link": f'<{address}>; rel="next"'} if number < len(pages) else {}
        body = [listed(owner, one, kind) for one in page]
        replay.always(f"/users/{owner}/repos?*&page={number}", Scripted(headers=headers, body=body))
    for one in repositories:
        home = f"/repos/{owner}/{one.name}/git"
        replay.always(f"{home}/trees/main?recursive=1", one.tree or Scripted(body=tree_of(one)))
        for text in one.files.values():
            replay.always(f"{home}/blobs/{sha_of(text)}", Scripted(body=blob_of(text)))


WORKFLOW = """\
name: release
on:
  push:
    tags: [release/v1]
env:
  IMAGE: acme/${{ github.event.repository.name }}
jobs:
  image:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/metadata-action@v5
        with:
          images: |
            acme/rocket
            images.acme.example/acme/rocket
      - uses: docker/build-push-action@v6
        with:
          push: true
          tags: acme/rocket:latest,acme/rocket:${{ github.sha }}
      - uses: docker/build-push-action@v6
        with:
          push: false
          tags: acme/only-built:latest
      - run: |
          docker build -t acme/also-only-built .
          docker push DOCKER_HUB/acme/rocket-tools:1.0
          docker push ${{ env.IMAGE }}
""".replace("DOCKER_HUB", f"{DOCKER.key}.io")
README = f"""\
# Rocket

Models: [rocket-base]({HUGGING_FACE.public_origin}/acme/rocket-base/tree/main),
trained on {HUGGING_FACE.public_origin}/datasets/Acme/flights.
It began as {HUGGING_FACE.public_origin}/others/bert; see {HUGGING_FACE.public_origin}/spaces/acme/show and
{HUGGING_FACE.public_origin}/docs/hub.
"""
ROCKET = Repository(
    "Rocket",
    {
        "pyproject.toml": '[build-system]\nrequires = []\n\n[project]\nversion = "1"\nname = "acme-rocket"\n',
        "package.json": '{\n  "private": true,\n  "name": "rocket-root",\n  "workspaces": ["packages/*"]\n}',
        "packages/core/package.json": '{\n  "name": "@acme/rocket"\n}',
        "packages/tools/package.json": '{"name": "@acme/tools", "private": true}',
        "packages/inner/package.json": '{"name": "@acme/inner", "publishConfig": {"registry": "https://npm.acme.example"}}',
        "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\n',
        "crates/rocket/Cargo.toml": '[package]\nname = "acme-rocket"\nversion = "1.0.0"\n',
        "crates/inner/Cargo.toml": '[package]\nname = "acme-inner"\npublish = false\n',
        "crates/shared/Cargo.toml": '[package]\nname = "acme-shared"\npublish.workspace = true\n',
        "examples/one/package.json": '{"name": "example-one"}',
        "examples/two/package.json": '{"name": "example-two"}',
        "web/node_modules/left/package.json": '{"name": "left"}',
        "docker/Dockerfile": "FROM scratch\n",
        ".github/workflows/release.yml": WORKFLOW,
        "README.md": README,
    },
    stars=900,
)
GEMS = Repository(
    "gems",
    {
        "acme.gemspec": 'Gem::Specification.new do |spec|\n  spec.name = "acme"\nend\n',
        "made.gemspec": "Gem::Specification.new do |s|\n  s.name = Acme::NAME\nend\n",
        "own.gemspec": (
            'Gem::Specification.new do |s|\n  s.name = "own"\n'
            '  s.metadata["allowed_push_host"] = "https://gems.acme.example"\nend\n'
        ),
    },
    stars=80,
)
DOTNET = Repository(
    "dotnet",
    {
        "src/Client/Client.csproj": (
            '<Project Sdk="Microsoft.NET.Sdk">\n  <PropertyGroup>\n'
            "    <PackageId>Acme.Client</PackageId>\n  </PropertyGroup>\n</Project>\n"
        ),
        "src/Tool/Acme.Tool.csproj": '<Project Sdk="Microsoft.NET.Sdk"></Project>',
        "src/Made/Made.csproj": (
            '<Project xmlns="http://schemas.example/msbuild"><PropertyGroup>'
            "<PackageId>Acme.$(Flavour)</PackageId></PropertyGroup></Project>"
        ),
        "src/Inner/Inner.csproj": (
            "<Project><PropertyGroup><IsPackable>false</IsPackable></PropertyGroup></Project>"
        ),
        "src/Broken/Broken.csproj": "<Project><PropertyGroup>",
        "src/Bomb/Bomb.csproj": '<!DOCTYPE x [<!ENTITY a "b">]><Project>&a;</Project>',
        "Dockerfile": "FROM scratch\n",
    },
    stars=70,
)
PHP = Repository("php", {"composer.json": '{\n    "name": "acme/client"\n}'}, stars=60)
EDITOR = Repository(
    "editor", {"package.json": '{"name": "rocket", "publisher": "acme", "engines": {"vscode": "^1.90"}}'}, 50
)
RENAMED = Repository(
    "renamed",
    {
        "pyproject.toml": '[tool.poetry]\nname = "no-such-new-name"\n',
        "js/package.json": '{"name": "@acme/rocket"}',
        "py/pyproject.toml": '[project]\nname = "Acme_Rocket"\n',
    },
    stars=40,
)
BROKEN = Repository(
    "broken",
    {
        "pyproject.toml": "[project\n",
        "package.json": "{",
        "list/package.json": "[]",
        "deep/package.json": "[" * 100_000,
        "Cargo.toml": '[package]\nname = "huge"\n',
        "composer.json": b'{"name": "acme/caf\xe9"}',
        "nameless/package.json": '{"version": "1.0.0"}',
        "nameless/Cargo.toml": "[package]\n",
        "nameless/pyproject.toml": "[tool.ruff]\n",
        "nameless/x.gemspec": "# nothing\n",
    },
    stars=30,
    sizes={"Cargo.toml": 2_000_000},
    truncated=True,
)
TEMPLATE = Repository(
    "template",
    {
        "package.json": '{"name": "{{ name }}"}',
        "pyproject.toml": '[project]\ndynamic = ["name"]\n',
        "Cargo.toml": '[package]\nname = "__NAME__"\n',
        "app/pyproject.toml": ('[project]\nname = "acme-app"\nclassifiers = ["Private :: Do Not Upload"]\n'),
        "script/pyproject.toml": '[project]\nname = "acme-script"\n[tool.uv]\npackage = false\n',
        "odd/package.json": '{"name": "Not A Name"}',
        "long/package.json": f'{{"name": "{"x" * 1000}"}}',
    },
    stars=20,
)
FORK = Repository("Fork-of-others", {"package.json": '{"name": "others"}'}, stars=5, fork=True)
OLD = Repository("old", {"package.json": '{"name": "old"}'}, stars=4, archived=True)
GONE = Repository("gone", stars=3, tree=Scripted(404, body={"message": "Not Found"}))
EMPTY = Repository("empty", stars=2, tree=Scripted(409, body={"message": "Git Repository is empty."}))
ACME = (ROCKET, GEMS, DOTNET, PHP, EDITOR, RENAMED, BROKEN, TEMPLATE, FORK, OLD, GONE, EMPTY)
