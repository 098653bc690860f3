from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from community_metrics.catalog import Catalog, load_catalog
from community_metrics.errors import SeedFileError
from community_metrics.model import Observation, Provenance, SourceWindow
from community_metrics.seed.files import (
    COLUMNS,
    MAX_FAULTS_SHOWN,
    Seed,
    packaged_seed_dir,
    read_seed,
    seed_files,
)
from community_metrics.storage.merge import plan

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HEADER = ",".join(COLUMNS)
# what was published: the number of readings of each metric and their sum, including suspect ones
PUBLISHED = {
    "downloads_30d:lance:python": (17, 17_025_656),
    "downloads_30d:lance:rust": (17, 547_245),
    "downloads_30d:lancedb:nodejs": (17, 2_992_725),
    "downloads_30d:lancedb:python": (17, 18_327_331),
    "downloads_30d:lancedb:rust": (17, 141_488),
    "downloads_month:lance:python": (1, 3_233_266),
    "downloads_month:lance:rust": (1, 190_919),
    "downloads_month:lancedb:nodejs": (5, 10_194_710),
    "downloads_month:lancedb:python": (1, 8_108_278),
    "downloads_month:lancedb:rust": (1, 98_476),
    "stars_sampled:lance:github": (16, 51_667),
    "stars_sampled:lancedb:github": (16, 78_418),
}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(None)


@pytest.fixture(scope="module")
def shipped(catalog: Catalog) -> Seed:
    return read_seed(seed_files(None, catalog), catalog, include_suspect=False, now=NOW)


@pytest.fixture(scope="module")
def everything(catalog: Catalog) -> Seed:
    return read_seed(seed_files(None, catalog), catalog, include_suspect=True, now=NOW)


def row(**cells: str) -> str:
    defaults = {
        "metric_id": "downloads:lance:python",
        "period_start": "2026-05-04",
        "period_end": "2026-05-04",
        "value": "12",
        "source_ref": "our own export",
    }
    return ",".join({**defaults, **cells}.get(column, "") for column in COLUMNS)


def seed_file(tmp_path: Path, *lines: str, name: str = "mine.csv") -> Path:
    file = tmp_path / name
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def read(file: Path, catalog: Catalog) -> tuple[Observation, ...]:
    return read_seed([file], catalog, include_suspect=False, now=NOW).observations


def faults(file: Path, catalog: Catalog) -> list[str]:
    with pytest.raises(SeedFileError) as caught:
        read(file, catalog)
    return [fault.replace(str(file), "FILE") for fault in caught.value.faults]


def test_every_published_number_is_loaded_once_with_its_value(everything: Seed) -> None:
    rows, sums = Counter[str](), Counter[str]()
    for seen in everything.observations:
        rows[seen.metric_id] += 1
        sums[seen.metric_id] += seen.value

    assert {name: (rows[name], sums[name]) for name in rows} == PUBLISHED
    assert rows.total() == len({seen.stat_key for seen in everything.observations}) == 126


def test_suspect_rows_are_loaded_only_with_include_suspect(shipped: Seed) -> None:
    assert len(shipped.observations) == 115
    assert Counter(left.suspect for left in shipped.left_out) == {
        "seven-day-window": 8,
        "with-mirrors": 2,
        "digit-missing": 1,
    }


def test_a_suspect_row_that_is_loaded_is_marked(everything: Seed) -> None:
    suspect = [seen for seen in everything.observations if seen.source_ref.endswith("#suspect")]

    assert len(suspect) == 11
    assert {seen.metric_id for seen in suspect if seen.source_window is SourceWindow.MONTH} == {
        "downloads_month:lance:python",
        "downloads_month:lancedb:python",
    }


def test_the_synthetic_rows_are_absent(everything: Seed) -> None:
    assert date(2025, 11, 30) not in {seen.period_end for seen in everything.observations}


def test_the_shipped_seed_fills_fallbacks_only(everything: Seed, catalog: Catalog) -> None:
    fallbacks = {name for metric in catalog.metrics for name in metric.fallbacks}

    assert {seen.metric_id for seen in everything.observations} == fallbacks
    assert SourceWindow.DAY not in {seen.source_window for seen in everything.observations}


def test_the_stored_row_is_marked_with_its_assumptions(everything: Seed) -> None:
    thirty_days = [seen for seen in everything.observations if seen.source_window is SourceWindow.THIRTY_DAYS]
    others = [seen for seen in everything.observations if seen not in thirty_days]

    assert len(thirty_days) == 85
    assert all("#assumed-window" in seen.source_ref for seen in thirty_days)
    assert all(("#assumed-variant" in s.source_ref) is ("python" in s.metric_id) for s in thirty_days)
    assert not any("#assumed" in seen.source_ref for seen in others)


def test_a_star_sample_has_its_instant(shipped: Seed) -> None:
    (seen,) = [s for s in shipped.observations if s.value == 9_018]

    assert seen.observed_at == datetime(2026, 2, 20, 19, 34, 58, tzinfo=UTC)
    assert seen.period_start == seen.period_end == date(2026, 2, 20)


def test_a_reading_without_an_instant_counts_as_read_at_the_end_of_its_day(
    shipped: Seed,
) -> None:
    (seen,) = [s for s in shipped.observations if s.value == 751_146]

    assert (seen.period_start, seen.period_end) == (date(2024, 9, 1), date(2024, 9, 30))
    assert seen.observed_at == datetime(2024, 10, 1, tzinfo=UTC)


def test_a_stored_row_names_its_file_its_line_and_its_publication(shipped: Seed) -> None:
    lines = (packaged_seed_dir() / "downloads.csv").read_text(encoding="utf-8").splitlines()
    place = re.compile(r"seed_data/downloads\.csv:(\d+) lancedb/community-metrics@200b3f7:\S+")

    downloads = [seen for seen in shipped.observations if "seed_data/downloads.csv:" in seen.source_ref]
    assert len(downloads) == 83
    for seen in downloads:
        match = place.fullmatch(seen.source_ref.split("#")[0])
        assert match
        assert lines[int(match[1]) - 1].startswith(f"{seen.metric_id},{seen.period_start},")
        assert f",{seen.value}," in lines[int(match[1]) - 1]


def test_seeding_twice_adds_nothing_even_when_lines_have_moved(catalog: Catalog, tmp_path: Path) -> None:
    first = read(seed_file(tmp_path, HEADER, row()), catalog)
    moved = read(
        seed_file(
            tmp_path, HEADER, "", row(value="9", period_start="2026-05-03", period_end="2026-05-03"), row()
        ),
        catalog,
    )
    stored = plan({}, first, provenance=Provenance.CSV_SEED, run_id="a", now=NOW).inserted

    again = plan({r.stat_key: r for r in stored}, moved, provenance=Provenance.CSV_SEED, run_id="b", now=NOW)

    assert (again.counts.inserted, again.counts.updated, again.counts.unchanged) == (1, 0, 1)


def test_another_catalogue_has_no_seed_files(tmp_path: Path) -> None:
    file = tmp_path / "catalog.toml"
    file.write_text(
        '[[product]]\nid = "a"\nname = "A"\n[[metric]]\nid = "downloads:a:rust"\nsource = "crates"\n'
        'subject = "a"\nwindow = "1d"\ndisplay_name = "A"\n',
        encoding="utf-8",
    )
    other = load_catalog(file)

    assert seed_files(None, other) == ()
    assert read_seed((), other, include_suspect=False, now=NOW) == Seed()


def test_the_seed_files_of_a_folder_are_its_csv_files(tmp_path: Path, catalog: Catalog) -> None:
    files = [seed_file(tmp_path, HEADER, name=name) for name in ("a.csv", "b.csv", "notes.txt")]

    assert seed_files(tmp_path, catalog) == tuple(files[:2])


@pytest.mark.parametrize("name", ["missing.csv", "."])
def test_a_path_without_a_seed_file_is_an_error(tmp_path: Path, catalog: Catalog, name: str) -> None:
    with pytest.raises(SeedFileError, match="Fix: check --path"):
        seed_files(tmp_path / name, catalog)


def test_a_file_of_your_own_seeds_any_metric_of_the_catalogue(tmp_path: Path, catalog: Catalog) -> None:
    file = seed_file(
        tmp_path,
        "\ufeff" + HEADER,
        row(),
        "",
        row(metric_id="stars:lance:github", observed_at="2026-05-04T23:30:00+02:00"),
        row(
            metric_id="downloads_month:lance:rust",
            period_start="2026-05-01",
            period_end="2026-05-31",
            observed_at="2026-06-01T00:00:00Z",
        ),
    )

    flow, level, month = read(file, catalog)

    assert flow.source_ref == f"{tmp_path.name}/mine.csv:2 our own export"
    assert level.observed_at == datetime(2026, 5, 4, 21, 30, tzinfo=UTC)
    assert (month.period_end - month.period_start).days == 30


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"metric_id": "downloads:lanse:python"}, "metric_id: "),
        ({"period_end": "2026-02-30"}, "period_end: '2026-02-30' is not a day"),
        ({"period_end": "04.05.2026"}, "period_end: '04.05.2026' is not a day"),
        ({"period_end": "20260504"}, "period_end: '20260504' is not a day"),
        ({"period_start": ""}, "period_start: '' is not a day"),
        ({"period_end": "2026-11-24"}, "period_end: 2026-11-24 is in the future"),
        ({"period_end": "9999-12-31"}, "period_end: 9999-12-31 is in the future"),
        ({"period_end": "2026-05-05"}, "period_end: 2026-05-04 to 2026-05-05 covers 2d"),
        ({"period_end": "2026-05-03"}, "period_end: 2026-05-04 to 2026-05-03 covers 0d"),
        (
            {"period_start": "2026-11-23", "period_end": "2026-11-23"},
            "period_end: 2026-11-23 is not over. Fix: leave the row out until it is",
        ),
        (
            {"period_start": "2026-11-22", "period_end": "2026-11-23"},
            "period_end: 2026-11-23 is not over. Fix: leave the row out until it is",
        ),
        ({"value": "-1"}, "value: '-1' is not a whole number"),
        ({"value": "1.5"}, "value: '1.5' is not a whole number"),
        ({"value": "1_000"}, "value: '1_000' is not a whole number"),
        ({"value": ""}, "value: '' is not a whole number"),
        ({"value": "10000000000001"}, "value: 10000000000001 is more than any registry counts"),
        ({"observed_at": "2026-05-05"}, "observed_at: '2026-05-05' is not an instant with its time zone"),
        ({"observed_at": "2026-05-05T10:00:00"}, "observed_at: '2026-05-05T10:00:00' is not an instant"),
        (
            {"observed_at": "2026-05-04T23:59:59Z"},
            "observed_at: is before the end of the period's last day, 2026-05-04 UTC",
        ),
        (
            {"period_start": "2026-11-23", "period_end": "2026-11-23", "observed_at": "2026-11-23T11:00:00Z"},
            "observed_at: is before the end of the period's last day, 2026-11-23 UTC",
        ),
        (
            {"metric_id": "stars:lance:github", "observed_at": "2026-05-03T10:00:00Z"},
            "observed_at: is before the reading's day",
        ),
        ({"observed_at": "2027-05-03T10:00:00Z"}, "observed_at: 2027-05-03 10:00 UTC is in the future"),
        ({"observed_at": "0001-01-01T00:00:00+09:00"}, "observed_at: '0001-01-01"),
        ({"source_ref": " "}, "source_ref: is empty"),
        ({"assumed": "windoww"}, "assumed: 'windoww' is not one of window, variant"),
        ({"assumed": "window"}, "assumed: downloads:lance:python has values of known days only"),
        (
            {"metric_id": "stars:lance:github", "observed_at": "2026-05-05T10:00:00Z"},
            "observed_at: is after the reading's day",
        ),
        (
            {"metric_id": "downloads_month:lance:rust"},
            "period_end: 2026-05-04 to 2026-05-04 is not a calendar month",
        ),
        ({"metric_id": "downloads_30d:lance:rust"}, "covers 1d; every value of this metric covers 30d"),
        ({"source_ref": '"two\nlines"'}, "source_ref: Invalid observation of downloads:lance:python"),
    ],
)
def test_an_invalid_row_is_an_error_with_its_line(
    tmp_path: Path, catalog: Catalog, cells: dict[str, str], message: str
) -> None:
    good = row(period_start="2026-05-01", period_end="2026-05-01")

    (fault,) = faults(seed_file(tmp_path, HEADER, good, row(**cells)), catalog)

    assert fault.startswith("FILE line 3, ")
    assert message in fault


@pytest.mark.parametrize("column", COLUMNS)
def test_a_missing_column_is_named(tmp_path: Path, catalog: Catalog, column: str) -> None:
    header = ",".join(name for name in COLUMNS if name != column)

    assert faults(seed_file(tmp_path, header, row()), catalog) == [f"FILE line 1: column {column} is missing"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "FILE is empty"),
        (
            [f"{HEADER},vlaue", row()],
            "FILE line 1: 'vlaue' is not a column of a seed file; did you mean value?",
        ),
        ([f"{HEADER},note", row()], "FILE line 1: column note is repeated"),
        ([HEADER, "a,b"], "FILE line 2: has 2 cells, not 9"),
        ([HEADER, row() + ",more"], "FILE line 2: has 10 cells, not 9"),
        (
            [HEADER, row(note='"over\ntwo lines"'), row(value="x", period_end="2026-05-04")],
            "FILE line 4, value:",
        ),
        ([HEADER, row(note='"never closed')], "FILE line 2: is not CSV"),
    ],
)
def test_a_file_of_another_format_is_an_error(
    tmp_path: Path, catalog: Catalog, lines: list[str], message: str
) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("\n".join(lines), encoding="utf-8")

    assert faults(file, catalog)[0].startswith(message)


@pytest.mark.parametrize("content", [b"\xff\xfe", HEADER.encode() + b"\ncaf\xe9,\n"])
def test_a_file_that_is_not_utf_8_is_an_error(tmp_path: Path, catalog: Catalog, content: bytes) -> None:
    file = tmp_path / "mine.csv"
    file.write_bytes(content)

    assert faults(file, catalog) == ["FILE is not UTF-8 text. Fix: save it as UTF-8"]


def test_a_key_is_unique_across_all_files(tmp_path: Path, catalog: Catalog) -> None:
    one = seed_file(tmp_path, HEADER, row(), name="a.csv")
    two = seed_file(tmp_path, HEADER, row(value="13", suspect="doubtful"), name="b.csv")

    with pytest.raises(SeedFileError) as caught:
        read_seed([one, two], catalog, include_suspect=False, now=NOW)

    assert caught.value.faults == [
        f"{two} line 2: downloads:lance:python|2026-05-04 is already in {one} line 2"
    ]


def test_the_message_for_a_file_full_of_faults_is_short(tmp_path: Path, catalog: Catalog) -> None:
    bad = [row(value="x", period_end="x") for _ in range(100)]

    shown = faults(seed_file(tmp_path, HEADER, *bad), catalog)

    assert len(shown) == MAX_FAULTS_SHOWN + 1
    assert shown[-1] == "and 150 more"


def test_nothing_is_loaded_if_one_file_has_faults(tmp_path: Path, catalog: Catalog) -> None:
    good = seed_file(tmp_path, HEADER, row(), name="a.csv")
    bad = seed_file(tmp_path, "nonsense", name="b.csv")

    with pytest.raises(SeedFileError, match="nothing was loaded") as caught:
        read_seed([good, bad], catalog, include_suspect=False, now=NOW)

    assert len(caught.value.faults) == len(COLUMNS) + 1


def test_the_readme_of_the_seed_data_counts_the_rows_and_lists_every_reason(
    shipped: Seed, everything: Seed
) -> None:
    readme = (packaged_seed_dir() / "README.md").read_text(encoding="utf-8")

    for name in ("downloads.csv", "stars.csv"):
        held, loaded = (
            sum(f"/{name}:" in seen.source_ref for seen in reading.observations)
            for reading in (everything, shipped)
        )
        assert f"| `{name}` | {held} | {loaded} |" in readme
    reasons = Counter(left.suspect for left in shipped.left_out)
    assert reasons
    for reason, count in reasons.items():
        assert f"| `{reason}` | {count} |" in readme


def test_the_example_in_the_readme_of_the_seed_data_can_be_loaded(tmp_path: Path, catalog: Catalog) -> None:
    readme = (packaged_seed_dir() / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```csv\n(.*?)```", readme, re.DOTALL)
    file = seed_file(tmp_path, example.replace("downloads:httpx:python", "downloads:lance:python"))

    (seen,) = read(file, catalog)

    assert (seen.value, seen.period_end) == (2_151_034, date(2026, 1, 5))
