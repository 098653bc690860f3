"""Images that workflows of GitHub push to Docker Hub. A Dockerfile alone does not name its image.

Read are the steps of `docker/build-push-action` that push, the `images` of `docker/metadata-action`, and the
commands `docker push` and `podman push` of a step.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import yaml

from community_metrics.discovery.model import Found, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

Place = tuple[str, int]
"""A name of an image, as written, and its line."""
_PUSH: Final = re.compile(
    r"\b(?:docker|podman)\s+(?:image\s+)?push\s+(?:-\S+\s+)*(?P<image>\S.*?)\s*(?:$|[;&|])"
)
_NAME: Final = re.compile(r"(?P<name>(?:[\w.-]+:\d+/)?[\w./-]+)(?:[:@].*)?")
_DOCKER_HUB: Final = re.compile(r"(?:(?:index\.|registry-1\.)?docker\.io/)")
_OTHER_HOST: Final = re.compile(r"[^/]*[.:][^/]*/|localhost/")


def read_workflow(_path: str, text: str) -> list[Found | Refused]:
    """Return the images that the steps of a workflow push, each once."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return [Refused(f"it is not valid YAML: {error}")]
    found: dict[tuple[str | None, bool], Found | Refused] = {}
    for written, line in _images(root):
        one = _judged(written, line)
        found.setdefault((one.subject, isinstance(one, Found)), one)
    return list(found.values())


def _judged(written: str, line: int) -> Found | Refused:
    """Return the repository on Docker Hub that an image is pushed to, without its tag."""
    static = _NAME.fullmatch(written)
    if static is None:
        return Refused("its name is dynamic: it is made when the workflow runs", written, line)
    name = _DOCKER_HUB.sub("", static["name"], count=1)
    if _OTHER_HOST.match(name):
        return Refused("it is on another registry than Docker Hub", name, line)
    if "/" not in name:
        return Refused("it has no namespace, and only Docker's own images have none", name, line)
    return Found("docker", name, line)


def _images(root: Any) -> Iterator[Place]:
    for job in _values(_at(root, "jobs")):
        steps = _at(job, "steps")
        for step in steps.value if isinstance(steps, yaml.SequenceNode) else ():
            action, given = _text(_at(step, "uses")), _at(step, "with")
            if action.startswith("docker/build-push-action") and _pushes(given):
                yield from _listed(_at(given, "tags"))
            elif action.startswith("docker/metadata-action"):
                yield from _listed(_at(given, "images"))
            yield from _pushed(_at(step, "run"))


def _pushes(given: Any) -> bool:
    """Return whether the action pushes what it builds, or may: an expression decides when it runs."""
    push, outputs = _text(_at(given, "push")), _text(_at(given, "outputs"))
    return push not in {"", "false"} or "push=true" in outputs


def _listed(node: Any) -> Iterator[Place]:
    """Yield the names of a list with commas or lines; a name of `metadata-action` may be `name=IMAGE`."""
    for number, line in enumerate(_text(node).splitlines()):
        for part in line.split(","):
            name = part.strip().removeprefix("name=").strip("\"'")
            if name and not re.match(r"(enable|type)=|#", name):
                yield name, _first_line(node) + number


def _pushed(node: Any) -> Iterator[Place]:
    for number, line in enumerate(_text(node).splitlines()):
        for push in _PUSH.finditer(line.partition(" #")[0]):
            yield push["image"].strip("\"'"), _first_line(node) + number


def _first_line(node: Any) -> int:
    """Return the line on which the text of a node begins; that of a block is below its key."""
    is_block = node.style in {"|", ">"}
    return int(node.start_mark.line) + (2 if is_block else 1)


def _at(node: Any, key: str) -> Any:
    """Return the node of a key; None where there is none."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for name, value in pairs if name.value == key), None)


def _values(node: Any) -> list[Any]:
    return [value for _, value in node.value] if isinstance(node, yaml.MappingNode) else []


def _text(node: Any) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""
