"""What `catalog discover` found, as it is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from community_metrics.text import counted, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from community_metrics.cli.discovery import Survey
    from community_metrics.cli.render.style import Glyphs
    from community_metrics.discovery import Discovery, Proposal


def render_survey(survey: Survey, glyphs: Glyphs) -> RenderableType:
    """Return what was read, the proposals with their evidence, and everything that is not proposed."""
    return Group(*_parts(survey, glyphs))


def _parts(survey: Survey, glyphs: Glyphs) -> Iterator[RenderableType]:
    found = survey.found
    yield Text(_summary(found), "bold")
    if found.stopped:
        yield Text(f"{glyphs.warn} This is only a part: {one_line(found.stopped)}", "bold yellow")
    for product, proposals in survey.by_product.items():
        yield Text(f"\n{product}", "bold")
        yield _proposals(proposals, survey, glyphs)
    yield Text(f"\n{_legend(survey, glyphs)}", "dim")
    yield from _list("Not proposed", [_refusal(survey, place) for place in range(len(survey.not_proposed))])
    left_out = (("fork", found.forks), ("archived", found.archived), ("disabled", found.disabled))
    yield from _list("Left out", [(name, why) for why, names in left_out for name in names])
    yield from _list("Not read", [(one.repository, one.reason) for one in found.unread])


def _summary(found: Discovery) -> str:
    kind = {True: "an organisation", False: "a person, not an organisation", None: None}[
        found.is_organisation
    ]
    if kind is None:
        return f"github:{found.owner} has no public repository."
    listed = found.listed
    repositories = "1 public repository" if listed == 1 else f"{listed:,} public repositories"
    return f"github:{found.owner} is {kind} with {repositories}; {len(found.read)} read."


def _legend(survey: Survey, glyphs: Glyphs) -> str:
    if not survey.proposals:
        return "Nothing is proposed."
    return f"{glyphs.ok} the registry has a package of this name: check that it is yours   ? not verified"


def _proposals(proposals: Sequence[Proposal], survey: Survey, glyphs: Glyphs) -> Table:
    table = _grid()
    for one in proposals:
        reason = survey.unverified.get(one.spec)
        places = str(one.evidence[0])
        if more := len(one.evidence) - 1:
            places += f" and {counted(more, 'more place')}"
        detail = Text(places, "dim")
        if reason is not None:
            detail.append(f"\nnot verified: {one_line(reason)}", "yellow")
        if (link := survey.links.get(one.spec)) is not None:
            detail.append(f"\n{link.sentence}", "dim" if link.is_back else "yellow")
        mark = Text(glyphs.ok, "green") if reason is None else Text("?", "bold yellow")
        table.add_row(mark, Text(one.spec), detail)
    return table


def _refusal(survey: Survey, place: int) -> tuple[str, str]:
    one = survey.not_proposed[place]
    what = f"{one.subject}: " if one.subject else ""
    return str(one.evidence), f"{what}{one.reason}"


def _list(title: str, rows: Sequence[tuple[str, str]]) -> Iterator[RenderableType]:
    if not rows:
        return
    yield Text(f"\n{title}", "bold")
    table = _grid()
    for name, why in rows:
        table.add_row(Text(""), Text(name), Text(why, "dim"))
    yield table


def _grid() -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(min_width=1, no_wrap=True)
    table.add_column(overflow="fold", max_width=60)
    table.add_column(overflow="fold", ratio=1)
    return table
