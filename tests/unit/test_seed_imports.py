"""Files that people bring: each is recognised and its values loaded, or it is refused with the reason."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from community_metrics.catalog import Catalog, load_catalog
from community_metrics.errors import CatalogError, SeedFileError
from community_metrics.model import ValueMark
from community_metrics.seed.files import COLUMNS, read_seed, seed_files
from community_metrics.seed.formats import FORMATS
from community_metrics.seed.imports import Choice, Import, read_import

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PYTHON, MIRRORED, NODEJS = "downloads:p:python", "downloads:m:python", "downloads:p:nodejs"
STARS, SAMPLED, IDLE = "stars:p:github", "stars_sampled:p:github", "downloads:p:rust"
CATALOG = """
product = [{ id = "p", name = "P" }, { id = "m", name = "M" }]
metric = [
  { id = "downloads:p:python", source = "pypistats", subject = "pkg", window = "1d" },
  { id = "downloads:m:python", source = "pypistats", subject = "pkg", window = "1d", MIRRORED },
  { id = "downloads:p:nodejs", source = "npm", subject = "@s/pkg", window = "1d" },
  { id = "stars:p:github", source = "github", subject = "o/r", window = "instant" },
  { id = "stars_sampled:p:github", source = "seed", subject = "o/r", window = "instant" },
  { id = "downloads:p:rust", source = "crates", subject = "pkg", window = "1d", active = false },
]
""".replace(" },\n", ', display_name = "P" },\n').replace("MIRRORED", "watch = true, options.mirrors = true")
PYPISTATS = "category,date,downloads\nwithout_mirrors,2026-05-03,10\nwithout_mirrors,2026-05-04,1234\n"
PYPISTATS_TSV = (
    '"category"\t"date"\t"percent"\t"downloads"\n'
    '"without_mirrors"\t"2026-05-03"\t"1.00%"\t"10"\n'
    '"without_mirrors"\t"2026-05-04"\t"99.00%"\t"1,234"\n'
    '"Total"\t""\t""\t"1,244"\n'
)
BOTH = PYPISTATS + "with_mirrors,2026-05-03,12\nwith_mirrors,2026-05-04,1300\n"
STAR_HISTORY = (
    "Repository,Date,Stars\n"
    "o/r,Sat Jul 23 2022 08:15:10 GMT+0800 (China Standard Time),0\n"
    "o/r,Sun Jul 24 2022 02:00:00 GMT+0800 (China Standard Time),60\n"
    "o/r,Mon Aug 15 2022 17:00:00 GMT-0230 (Newfoundland Daylight Time),120\n"
)
NPM = json.dumps(
    {
        "start": "2026-05-03",
        "end": "2026-05-05",
        "package": "@s/pkg",
        "downloads": [
            {"day": "2026-05-03", "downloads": 7},
            {"day": "2026-05-04", "downloads": 8},
            {"day": "2026-05-05", "downloads": 0},
        ],
    }
)
NPM_STAT = "Date,@s/pkg,other\n2026-05-03,7,100\n2026-05-04,8,200\n2026-05-05,0,\n"
STATS = (
    "metric_id,period_start,period_end,value,status,provenance,source_window,observed_at,source_ref\n"
    f"{PYTHON},2026-05-03,2026-05-03,10,final,api,1d,2026-05-06T06:00:00Z,https://example.org/a\n"
    f"{PYTHON},2026-05-04,2026-05-04,1234,final,api,1d,2026-05-06T06:00:00Z,https://example.org/a\n"
    f"{STARS},2026-05-04,2026-05-04,9,final,api,instant,2026-05-04T06:00:00Z,https://example.org/b\n"
    "downloads:gone:python,2026-05-04,2026-05-04,9,final,api,1d,2026-05-06T06:00:00Z,https://example.org/c\n"
)
SERIES = (
    "metric_id,period_start,period_end,value,days_present,days_expected,complete,estimated,status,observed_at\n"
    f"{PYTHON},2026-05-03,2026-05-03,10,1,1,true,false,final,2026-05-06T06:00:00Z\n"
    f"{PYTHON},2026-05-04,2026-05-04,1234,1,1,true,false,final,2026-05-06T06:00:00Z\n"
    f"{PYTHON},2026-05-05,2026-05-05,,0,1,false,false,,\n"
    f"{PYTHON},2026-05-06,2026-05-06,99,1,1,false,true,final,2026-05-08T06:00:00Z\n"
)
TWO_DAYS = {date(2026, 5, 3): 10, date(2026, 5, 4): 1234}


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    file = tmp_path / "catalog.toml"
    file.write_text(CATALOG, encoding="utf-8")
    return load_catalog(file)


def written(folder: Path, text: str, name: str = "mine.csv", encoding: str = "utf-8") -> Path:
    file = folder / name
    file.write_bytes(text.encode(encoding))
    os.utime(file, (NOW.timestamp(), NOW.timestamp()))
    return file


def read(
    file: Path, catalog: Catalog, metric: str | None, form: str = "auto", subject: str | None = None
) -> Import:
    found = read_import(file, Choice(form, metric, subject), catalog, NOW)
    assert isinstance(found, Import)
    return found


def values(found: Import) -> dict[date, int]:
    return {seen.period_end: seen.value for seen in found.observations}


def fault(file: Path, catalog: Catalog, metric: str | None, form: str = "auto") -> str:
    with pytest.raises(SeedFileError) as caught:
        read(file, catalog, metric, form)
    assert "nothing was stored" in str(caught.value)
    return "\n".join(caught.value.faults)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (PYPISTATS, "a pypistats file"),
        (PYPISTATS_TSV, "a pypistats file"),
        (STATS, "an export of community-metrics"),
        (SERIES, "an export of community-metrics"),
        (f"\ufeff{SERIES}", "an export of community-metrics"),
    ],
)
def test_a_file_of_a_known_format_is_recognised_and_loaded(
    tmp_path: Path, catalog: Catalog, text: str, title: str
) -> None:
    found = read(written(tmp_path, text), catalog, PYTHON)

    assert values(found) == TWO_DAYS
    assert found.notes[0] == f"mine.csv is {title}: 2 values."


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (NPM, "range.json"),
        (
            json.dumps({"@s/pkg": json.loads(NPM), "other": {**json.loads(NPM), "package": "other"}}),
            "bulk.json",
        ),
        (f"[{NPM}]", "list.json"),
        (NPM_STAT, "npm-stat.csv"),
        (NPM_STAT.replace(",", ";").replace("2026-05-03", "2026-05-03T00:00:00.000Z"), "npm-stat.csv"),
    ],
)
def test_a_zero_of_npm_is_left_out_since_the_file_does_not_show_what_it_means(
    tmp_path: Path, catalog: Catalog, text: str, name: str
) -> None:
    found = read(written(tmp_path, text, name), catalog, NODEJS)

    assert values(found) == {date(2026, 5, 3): 7, date(2026, 5, 4): 8}
    assert any(note.startswith("1 day with 0 left out") for note in found.notes)


def test_samples_of_stars_are_samples_with_their_instant_and_one_for_each_utc_day(
    tmp_path: Path, catalog: Catalog
) -> None:
    found = read(written(tmp_path, STAR_HISTORY), catalog, SAMPLED)

    first, second = found.observations
    assert (first.value, first.observed_at) == (60, datetime(2022, 7, 23, 18, tzinfo=UTC))
    assert (second.value, second.observed_at) == (120, datetime(2022, 8, 15, 19, 30, tzinfo=UTC))
    assert found.notes[1] == "1 sample left out: a later one of the same day is stored."


def test_samples_of_stars_are_no_readings_of_the_count(tmp_path: Path, catalog: Catalog) -> None:
    message = fault(written(tmp_path, STAR_HISTORY), catalog, STARS)

    assert "a star-history file has samples" in message
    assert "such as stars_sampled:p:github, and make that a fallback of stars:p:github" in message


def test_with_and_without_mirrors_are_two_series(tmp_path: Path, catalog: Catalog) -> None:
    file = written(tmp_path, BOTH)

    assert values(read(file, catalog, PYTHON)) == TWO_DAYS
    assert values(read(file, catalog, MIRRORED)) == {date(2026, 5, 3): 12, date(2026, 5, 4): 1300}
    assert read(file, catalog, PYTHON).notes[1].startswith("2 values with mirrors left out")


def test_a_file_with_mirrors_is_refused_for_a_metric_without(tmp_path: Path, catalog: Catalog) -> None:
    file = written(tmp_path, PYPISTATS.replace("without", "with"))

    assert "options = { mirrors = true }" in fault(file, catalog, PYTHON)
    assert "options = { mirrors = false }" in fault(written(tmp_path, PYPISTATS), catalog, MIRRORED)


def test_the_stored_row_names_the_file_the_line_and_where_the_export_had_it_from(
    tmp_path: Path, catalog: Catalog
) -> None:
    own, other = (
        read(written(tmp_path, text), catalog, PYTHON).observations[1] for text in (PYPISTATS, STATS)
    )

    assert own.source_ref == f"{tmp_path.name}/mine.csv:3 pypistats"
    assert own.observed_at == datetime(2026, 5, 5, tzinfo=UTC)
    assert other.source_ref == f"{tmp_path.name}/mine.csv:3 https://example.org/a"
    assert other.observed_at == datetime(2026, 5, 6, 6, tzinfo=UTC)


def test_a_parquet_file_that_is_cut_is_refused(tmp_path: Path, catalog: Catalog) -> None:
    file = written(tmp_path, "PAR1 and no more", name="stats.parquet")

    assert "is no Parquet file that can be read" in fault(file, catalog, None)


def test_an_export_is_loaded_for_every_metric_that_the_catalogue_has(
    tmp_path: Path, catalog: Catalog
) -> None:
    found = read(written(tmp_path, STATS), catalog, None)

    assert [seen.metric_id for seen in found.observations] == [PYTHON, PYTHON, STARS]
    assert found.notes[1].endswith("were left out: downloads:gone:python.")


def test_a_day_that_was_not_over_when_the_file_was_written_is_left_out(
    tmp_path: Path, catalog: Catalog
) -> None:
    file = written(tmp_path, PYPISTATS)
    noon = datetime(2026, 5, 4, 12, tzinfo=UTC).timestamp()
    os.utime(file, (noon, noon))

    found = read(file, catalog, PYTHON)

    assert values(found) == {date(2026, 5, 3): 10}
    assert "2026-05-04 12:00 UTC" in found.notes[1]


def test_a_file_of_which_no_day_was_over_is_refused_with_that_reason(
    tmp_path: Path, catalog: Catalog
) -> None:
    file = written(tmp_path, PYPISTATS)
    os.utime(file, (0, 0))

    assert "the day was not over when it was read" in fault(file, catalog, PYTHON)


def test_another_name_in_the_file_is_given_on_the_command_line(tmp_path: Path, catalog: Catalog) -> None:
    file = written(tmp_path, STAR_HISTORY.replace("o/r", "old/name"))

    assert "it has values of old/name, not of o/r" in fault(file, catalog, SAMPLED)
    assert len(read(file, catalog, SAMPLED, subject="Old/Name").observations) == 2


@pytest.mark.parametrize(
    ("text", "metric", "form", "message"),
    [
        ("nonsense\n", PYTHON, "auto", "it is none of: a pypistats file, "),
        (f"{','.join(COLUMNS)}\n", PYTHON, "auto", "community-metrics seed --path FILE"),
        ("", PYTHON, "auto", "it is none of"),
        (PYPISTATS, None, "auto", "Fix: add --metric ID"),
        (PYPISTATS, PYTHON, "npm", "it is a pypistats file, not an npm file. Fix: use --format pypistats"),
        (PYPISTATS, PYTHON, "pypistat", "the format 'pypistat' is unknown; did you mean pypistats?"),
        (PYPISTATS, NODEJS, "auto", "Fix: choose a metric whose source is pypistats or seed"),
        (PYPISTATS, IDLE, "auto", "is not active. Fix: set `active = true`"),
        (PYPISTATS.replace("without_mirrors", "3.11"), PYTHON, "auto", "it divides the downloads into 3.11"),
        (PYPISTATS.replace("2026-05-04", "2026-02-30"), PYTHON, "auto", "line 3: '2026-02-30' is not a day"),
        (PYPISTATS.replace("1234", "12.5"), PYTHON, "auto", "line 3: '12.5' is not a whole number"),
        (PYPISTATS.replace("1234", "-1"), PYTHON, "auto", "line 3: '-1' is not a whole number"),
        (PYPISTATS.replace("1234", "9" * 19), PYTHON, "auto", "is more than the database can hold"),
        (PYPISTATS.replace("1234", "1,2"), PYTHON, "auto", "line 3: has 4 cells, not 3"),
        (PYPISTATS.replace("05-04", "05-03"), PYTHON, "auto", "line 3: downloads:p:python|2026-05-03 is"),
        (NPM.replace("@s/pkg", "pkg"), NODEJS, "auto", "it has values of pkg, not of @s/pkg"),
        ('{"error": "package not found"}', NODEJS, "auto", "has no list `downloads`"),
        ("Date,@s/pkg\n2026-05-04,1\n2026-05-11,2\n2026-05-18,3\n", NODEJS, "auto", "at least 7 days apart"),
        (STAR_HISTORY.replace("Sat Jul 23 2022", "Sat Juli 23 2022"), SAMPLED, "auto", "line 2: 'Sat Juli"),
        (SERIES.replace("2026-05-04,1234", "2026-05-10,1234"), PYTHON, "auto", "/export/stats.csv"),
        (STATS, NODEJS, "auto", "it has no value of downloads:p:nodejs"),
    ],
)  # fmt: skip
def test_a_file_that_does_not_fit_is_refused_with_the_reason(  # noqa: PLR0917  pytest calls it by keyword
    tmp_path: Path, catalog: Catalog, text: str, metric: str | None, form: str, message: str
) -> None:
    assert message in fault(written(tmp_path, text), catalog, metric, form)


@pytest.mark.parametrize(
    ("text", "title", "option"),
    [
        (PYPISTATS, "a pypistats file", " --metric ID"),
        (STAR_HISTORY, "a star-history file", " --metric ID"),
        (NPM_STAT, "an npm file", " --metric ID"),
        (NPM, "an npm file", " --metric ID"),
        (STATS, "an export of community-metrics", ""),
    ],
)
def test_seed_names_the_format_of_another_file_and_the_command(
    tmp_path: Path, catalog: Catalog, text: str, title: str, option: str
) -> None:
    file = written(tmp_path, text)

    with pytest.raises(SeedFileError) as caught:
        read_seed([file], catalog, include_suspect=False, now=NOW)

    command = f"`community-metrics import{option} {file}`"
    assert caught.value.faults == [f"{file} is {title}, not a seed file. Fix: {command}"]


@pytest.mark.parametrize("declared", ["", "sep=;\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_file_saved_by_a_european_excel_is_read(
    tmp_path: Path, catalog: Catalog, declared: str, mark: str
) -> None:
    seed = f"{';'.join(COLUMNS)};;\r\n{PYTHON};2026-05-04;2026-05-04;12;;ours;;;;;\r\n;;;;;;;;;;\r\n;;;;\r\n"
    other = BOTH.replace(",", ";").replace("\n", "\r\n") + ";;\r\n;;\r\n"
    folder = tmp_path / "excel"
    folder.mkdir()
    written(folder, mark + declared + seed, "SEED.CSV")

    (row,) = read_seed(seed_files(folder, catalog), catalog, include_suspect=False, now=NOW).observations

    assert row.source_ref == f"excel/SEED.CSV:{3 if declared else 2} ours"
    assert values(read(written(tmp_path, mark + declared + other), catalog, PYTHON)) == TWO_DAYS


def test_an_unknown_metric_comes_with_similar_ones(tmp_path: Path, catalog: Catalog) -> None:
    with pytest.raises(CatalogError, match=f"did you mean {PYTHON}"):
        read(written(tmp_path, PYPISTATS), catalog, "downloads:p:pyton")


def test_a_file_that_never_ends_is_refused(catalog: Catalog) -> None:
    from pathlib import Path  # noqa: PLC0415  elsewhere only for annotations

    assert fault(Path("/dev/zero"), catalog, PYTHON) == "is not a file"


def test_days_of_the_future_are_not_stored(tmp_path: Path, catalog: Catalog) -> None:
    tomorrow = (NOW + timedelta(days=1)).date()
    file = written(tmp_path, f"{PYPISTATS}without_mirrors,{tomorrow},5\n")

    assert values(read(file, catalog, PYTHON)) == TWO_DAYS


def test_what_an_export_says_of_a_value_is_read_with_it() -> None:
    cells = {
        "metric_id": PYTHON,
        "period_start": "2026-11-18",
        "period_end": "2026-11-18",
        "value": "7",
        "observed_at": "2026-11-23T12:00:00+00:00",
        "status": "final",
        "is_reset": "true",
        "mark": "low_for_everybody",
    }
    row = FORMATS["export"].row("line 2", cells)
    assert row is not None
    assert (row.value, row.is_reset, row.mark) == (7, True, ValueMark.LOW_FOR_EVERYBODY)
    plain = FORMATS["export"].row("line 2", cells | {"is_reset": "", "mark": ""})
    assert plain is not None
    assert (plain.is_reset, plain.mark) == (False, None)
