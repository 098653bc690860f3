"""A digest as PowerPoint: native charts with the stored values, gaps as empty cells, stable bytes."""

from __future__ import annotations

import io
import re
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import pytest
from pptx import Presentation

from community_metrics.digest.formats import Format, rendered, require_installed, written
from community_metrics.digest.powerpoint import powerpoint_of
from community_metrics.digest.slides import slides_of
from community_metrics.errors import ExtraMissing
from community_metrics.model import SourceWindow, ValueKind
from community_metrics.model.digest_content import Digest
from tests.support.digests import METRICS, OTHER, PYTHON, RUST, WEEK, digest_of, steady
from tests.support.events import note, release
from tests.support.readings import metric

if TYPE_CHECKING:
    from collections.abc import Iterator

STARS = metric("stars:p:github", SourceWindow.INSTANT, kind=ValueKind.LEVEL)
GAP = WEEK.end - timedelta(weeks=3)
VALUES = {
    PYTHON: steady(100, WEEK.end),
    RUST: {day: value for day, value in steady(50, WEEK.end).items() if day != GAP},
    OTHER: steady(10, WEEK.end),
    STARS.metric_id: steady(5_000, WEEK.end),
}
DIGEST = digest_of(
    VALUES,
    metrics=(*METRICS, STARS),
    stated=[release()],
    notes=[note()],
    page_url="https://page.example",
    api_url="https://api.example",
)
FILE = powerpoint_of(DIGEST)
HOSTILE = '=HYPERLINK("http://evil")<b>&\u202e\x1b[31m'


def presented(content: bytes = FILE) -> Any:
    return Presentation(io.BytesIO(content))


def charts(content: bytes = FILE) -> Iterator[Any]:
    for slide in presented(content).slides:
        yield from (shape for shape in slide.shapes if shape.has_chart)


def workbook(shape: Any) -> ZipFile:
    return ZipFile(io.BytesIO(shape.chart.part.chart_workbook.xlsx_part.blob))


def cells(shape: Any) -> dict[str, str]:
    """Return the cells of the data behind a chart that are not empty, as text."""
    with workbook(shape) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        texts = re.findall(r"<t[^>]*>(.*?)</t>", book.read("xl/sharedStrings.xml").decode())
    found = re.findall(r'<c r="([A-Z]+\d+)"([^>]*)>(.*?)</c>', sheet)
    assert not [inner for _, _, inner in found if "<f>" in inner]  # nothing is calculated
    values = {name: (kind, re.findall(r"<v>(.*?)</v>", inner)[0]) for name, kind, inner in found}
    return {name: texts[int(value)] if 't="s"' in kind else value for name, (kind, value) in values.items()}


def test_a_chart_has_the_values_that_are_stored_in_the_digest() -> None:
    drawn = [shape.chart for shape in charts()]
    stored = {one.lines[0].name: one.lines[0] for one in DIGEST.charts}
    shown = {chart.plots[0].series[0].name: chart.plots[0] for chart in drawn}
    total = shown["All products"]
    assert list(total.categories) == list(DIGEST.charts[0].periods)
    assert tuple(total.series[0].values) == stored["All products"].values
    assert tuple(total.series[1].values) == stored["All products"].year_before
    assert tuple(shown["q"].series[0].values) == stored["q"].values


def test_a_period_that_is_not_complete_is_a_gap_in_the_chart_and_an_empty_cell() -> None:
    shape = next(charts())
    values = list(shape.chart.plots[0].series[0].values)
    assert [at for at, value in enumerate(values) if value is None] == [22]
    assert 'dispBlanksAs val="gap"' in shape.chart.part.blob.decode()
    data = cells(shape)
    assert (data["A24"], "B24" in data, data["B25"]) == ("2026-W44", False, "1120")


def test_the_cells_behind_a_chart_are_its_values() -> None:
    for shape in charts():
        data, plot = cells(shape), shape.chart.plots[0]
        for column, series in zip("BCDEFG", plot.series, strict=False):
            assert data[f"{column}1"] == series.name
            known = {
                f"{column}{row}": value for row, value in enumerate(series.values, 2) if value is not None
            }
            assert {name: float(data[name]) for name in known} == known


def test_the_deck_has_the_slides_of_the_html_with_the_same_words_and_notes() -> None:
    wanted = slides_of(DIGEST).slides
    made = list(presented().slides)
    assert [slide.shapes.title.text_frame.text for slide in made] == [one.heading for one in wanted]
    for slide, one in zip(made, wanted, strict=True):
        notes = slide.notes_slide.notes_text_frame.text if slide.has_notes_slide else ""
        assert notes == "\n".join(one.notes)


def test_the_scorecard_is_a_table_that_can_be_edited() -> None:
    [table] = [shape.table for shape in presented().slides[1].shapes if shape.has_table]
    rows = [[cell.text for cell in row.cells] for row in table.rows]
    assert rows[0] == ["Product", "Downloads", "vs week before", "vs year before", "Stars"]
    assert rows[1][:2] == ["All products", "1,120"]
    assert [row[0] for row in rows[2:]] == ["p", "q"]


def test_a_chart_has_a_text_alternative() -> None:
    descriptions = re.findall(r'descr="([^"]+)"', all_slides())
    assert any("1,120 in 2026-W47" in text for text in descriptions)
    assert len(descriptions) == len(list(charts()))


def all_slides() -> str:
    with ZipFile(io.BytesIO(FILE)) as file:
        return "".join(
            file.read(name).decode() for name in file.namelist() if name.startswith("ppt/slides/slide")
        )


def test_links_lead_to_the_page_and_to_the_numbers() -> None:
    with ZipFile(io.BytesIO(FILE)) as file:
        relations = "".join(
            file.read(name).decode() for name in file.namelist() if name.startswith("ppt/slides/_rels/")
        )
    assert "https://page.example/?week=2026-W47" in relations
    assert "https://api.example/api/v1/insights?week=2026-W47" in relations


def test_the_same_digest_gives_the_same_bytes() -> None:
    assert powerpoint_of(Digest.model_validate_json(DIGEST.model_dump_json())) == FILE


def test_no_time_in_the_file_is_that_of_its_writing() -> None:
    at = DIGEST.made_at
    stamp = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    with ZipFile(io.BytesIO(FILE)) as file:
        assert {entry.date_time for entry in file.infolist()} == {at.timetuple()[:6]}
        own = file.read("docProps/core.xml").decode()
    assert set(re.findall(r"\d{4}-\d\d-\d\dT[0-9:]+Z", own)) == {stamp}
    for shape in charts():
        with workbook(shape) as book:
            assert {entry.date_time for entry in book.infolist()} == {(1980, 1, 1, 0, 0, 0)}
            inner = book.read("docProps/core.xml").decode()
        assert set(re.findall(r"\d{4}-\d\d-\d\dT[0-9:]+Z", inner)) == {stamp}


def test_no_text_from_elsewhere_is_calculated_or_is_markup() -> None:
    lines = [line.model_copy(update={"name": HOSTILE}) for line in DIGEST.charts[0].lines]
    drawn = DIGEST.charts[0].model_copy(update={"lines": tuple(lines)})
    told = DIGEST.notes[0].model_copy(update={"title": HOSTILE, "author": HOSTILE})
    digest = DIGEST.model_copy(update={"charts": (drawn,), "notes": (told,), "name": HOSTILE})
    content = powerpoint_of(digest)
    assert cells(next(charts(content)))["B1"].startswith("=HYPERLINK")
    text = presented(content).slides[0].shapes.title.text_frame.text
    assert text.startswith("=HYPERLINK")
    assert not {"\u202e", "\x1b"} & set(text)


def test_a_long_name_of_the_catalogue_is_cut_in_the_properties_and_nowhere_else() -> None:
    long = "Name " * 80
    made = presented(powerpoint_of(DIGEST.model_copy(update={"name": long, "first_line": f"{long}week"})))
    assert len(made.core_properties.title) == 255
    assert made.slides[0].shapes.title.text_frame.text.startswith(long.strip())


def test_a_period_that_goes_on_has_no_chart_and_no_table() -> None:
    digest = digest_of(VALUES, metrics=(*METRICS, STARS), now=DIGEST.made_at - timedelta(days=5))
    content = powerpoint_of(digest)
    assert not list(charts(content))
    assert "is not over" in presented(content).slides[0].shapes[1].text_frame.text


def test_without_the_extra_the_error_names_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pptx", None)  # what Python itself has for a module that cannot be found
    fix = re.escape("--format pptx needs the extra deck. Fix: pip install 'community-metrics[deck]'")
    with pytest.raises(ExtraMissing, match=fix):
        written(DIGEST, Format.PPTX)
    require_installed(Format.HTML)


@pytest.mark.parametrize("form", [form for form in Format if form.is_text])
def test_a_format_of_text_is_written_as_it_is_printed(form: Format) -> None:
    assert written(DIGEST, form).decode() == rendered(DIGEST, form)
