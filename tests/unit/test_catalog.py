from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tomlkit import string as toml_string

from community_metrics.catalog.catalog import PACKAGED_CATALOG, Catalog, load_catalog
from community_metrics.catalog.toml_lines import HEADER, entry_lines
from community_metrics.cli.mappers import catalog_body
from community_metrics.errors import CatalogError, ConfigurationError
from community_metrics.model import SEED_SOURCE, SourceWindow, ValueKind, Visibility

PRODUCTS = """\
[[product]]
id = "httpx"
name = "HTTPX"
[[product]]
id = "ruff"
name = "Ruff"
"""
BORN = datetime(2026, 11, 23, tzinfo=UTC)
HTTPX = {
    "id": '"downloads:httpx:python"',
    "source": '"pypistats"',
    "subject": '"httpx"',
    "window": '"1d"',
    "display_name": '"HTTPX"',
}


def entry(**changes: str | None) -> str:
    """Return a [[metric]] of TOML; its header is on the first line, `id` on the second, and so on."""
    fields = {name: value for name, value in {**HTTPX, **changes}.items() if value is not None}
    return "\n".join(["[[metric]]", *(f"{name} = {value}" for name, value in fields.items()), ""])


def loaded(tmp_path: Path, *entries: str, head: str = PRODUCTS) -> Catalog:
    file = tmp_path / "catalog.toml"
    file.write_text(head + "".join(entries), encoding="utf-8")
    return load_catalog(file)


def faults(tmp_path: Path, *entries: str, head: str = PRODUCTS) -> list[str]:
    with pytest.raises(CatalogError) as caught:
        loaded(tmp_path, *entries, head=head)
    return caught.value.faults


@pytest.fixture(scope="module")
def packaged() -> Catalog:
    return load_catalog(None)


def test_the_packaged_catalogue_tracks_lance_and_lancedb(packaged: Catalog) -> None:
    tracked = {(m.source, m.subject) for m in packaged.active if m.source != SEED_SOURCE}
    repositories = {f"lance-format/{name}" for name in ("lance", "lance-graph", "lance-context")}
    data_sets = ("laion-1m", "openvid-lance", "fineweb-edu")

    assert packaged.is_packaged
    assert tracked == {
        ("pypistats", "pylance"),
        ("pypistats", "lancedb"),
        ("npm", "@lancedb/lancedb"),
        ("crates", "lance"),
        ("crates", "lancedb"),
        *((source, name) for source in ("github", "github-history") for name in repositories),
        *((source, "lancedb/lancedb") for source in ("github", "github-history", "github-repo")),
        ("github-repo", "lance-format/lance"),
        ("conda", "conda-forge/pylance"),
        ("conda", "conda-forge/lancedb"),
        *(("huggingface", f"datasets/lance-format/{name}") for name in data_sets),
        ("duckdb-extensions", "lance"),
    }


def test_packaged_metrics_that_need_a_right_or_are_not_verified_are_off(packaged: Catalog) -> None:
    off = {m.source for m in packaged.metrics if not m.is_active}

    assert off - {m.source for m in packaged.active} == {
        "github-traffic",
        "github-referrers",
        "github-paths",
        "github-releases",
        "docker",
    }


def test_packaged_metrics_are_of_every_kind(packaged: Catalog) -> None:
    assert {m.value_kind for m in packaged.shown} == set(ValueKind)


def test_both_packaged_repositories_have_the_same_levels(packaged: Catalog) -> None:
    levels = [m for m in packaged.active if m.source == "github-repo"]

    assert {(m.product, m.options["count"]) for m in levels} == {
        (product, count)
        for product in ("lance", "lancedb")
        for count in ("forks", "watchers", "open_issues", "open_pull_requests")
    }


def test_packaged_pypi_downloads_leave_mirrors_out(packaged: Catalog) -> None:
    assert [m.options for m in packaged.metrics if m.source == "pypistats"] == [{"mirrors": False}] * 2


def test_seed_only_metrics_are_fallbacks_and_not_shown(packaged: Catalog) -> None:
    seed_only = {m.metric_id for m in packaged.metrics if m.source == SEED_SOURCE}

    assert seed_only == {name for m in packaged.metrics for name in m.fallbacks}
    assert seed_only.isdisjoint(m.metric_id for m in packaged.shown)
    assert len(packaged.shown) + len(seed_only) == len(packaged.active)


def test_a_metric_returns_its_row_of_the_database(packaged: Catalog) -> None:
    row = packaged.metric("stars_retained:lance:github").definition(BORN)

    assert (row.metric_family, row.product, row.unit, row.sdk) == ("stars_retained", "lance", "stars", None)
    assert (row.value_kind, row.source_window, row.created_at) == (ValueKind.FLOW, SourceWindow.DAY, BORN)


def test_the_json_of_the_catalogue_has_what_the_file_has(packaged: Catalog) -> None:
    document = tomllib.loads(PACKAGED_CATALOG.read_text(encoding="utf-8"))
    names = {"id": "metric_id", "window": "source_window", "active": "is_active", "kind": "value_kind"}

    shown = catalog_body(packaged.metrics).model_dump(mode="json")["metrics"]

    assert [
        {name: row[names.get(name, name)] for name in raw}
        for raw, row in zip(document["metric"], shown, strict=True)
    ] == document["metric"]


def test_another_file_replaces_the_packaged_one(tmp_path: Path) -> None:
    catalog = loaded(tmp_path, entry())

    assert not catalog.is_packaged
    assert [metric.metric_id for metric in catalog.metrics] == ["downloads:httpx:python"]


def test_the_packaged_file_is_packaged_also_when_it_is_named() -> None:
    assert load_catalog(PACKAGED_CATALOG).is_packaged


def test_an_inactive_metric_keeps_its_entry_and_is_neither_fetched_nor_shown(tmp_path: Path) -> None:
    catalog = loaded(tmp_path, entry(active="false"))

    assert catalog.metric("downloads:httpx:python").is_active is False
    assert catalog.shown == catalog.active == catalog.select([]) == ()


def test_no_pattern_selects_every_active_metric(packaged: Catalog) -> None:
    assert packaged.select([]) == (*packaged.active, *packaged.registries)


def test_patterns_select_in_the_order_of_the_file_and_once(packaged: Catalog) -> None:
    chosen = packaged.select(["stars:lance:*", "downloads:*:rust", "downloads:lance:rust"])

    assert [m.metric_id for m in chosen] == [
        "downloads:lance:rust",
        "downloads:lancedb:rust",
        "stars:lance:github",
    ]


def test_a_pattern_that_matches_nothing_is_an_error_with_similar_ids(packaged: Catalog) -> None:
    with pytest.raises(ConfigurationError) as caught:
        packaged.select(["downloads:lance:pyton", "stars:*", "commits:*"])

    first, second = caught.value.faults
    assert first.startswith("'downloads:lance:pyton'; did you mean downloads:lance:python")
    assert second.startswith("'commits:*'")


def test_the_error_for_an_unknown_id_suggests_similar_ids(packaged: Catalog) -> None:
    with pytest.raises(CatalogError, match="did you mean stars:lance-graph:github"):
        packaged.metric("stars:lance_graph:github")


@pytest.mark.parametrize(
    ("changes", "line", "message"),
    [
        ({"id": '"Downloads:httpx:python"'}, 8, "'Downloads:httpx:python' is not family:product:detail"),
        ({"id": '"downloads:httpx"'}, 8, "'downloads:httpx' is not family:product:detail"),
        ({"id": '"downloads:htpx:python"'}, 8, "there is no [[product]] 'htpx'; did you mean httpx?"),
        ({"id": None}, 7, "is missing"),
        ({"id": "7"}, 8, "must be a string"),
        ({"source": '"pypistat"'}, 9, "'pypistat' is not installed; did you mean pypistats?"),
        ({"source": None}, 7, "is missing"),
        ({"subject": None}, 7, "is missing"),
        ({"subject": '" "'}, 10, "is empty"),
        ({"subject": "[]"}, 10, "must be a string"),
        ({"window": '"7d"'}, 11, "is '7d', but every value of pypistats covers '1d'"),
        ({"window": '"week"'}, 11, "'week' is not one of 1d, 7d, 30d, 90d, 365d, month, instant"),
        ({"display_name": None}, 7, "is missing"),
        ({"sdk": '"Python 3"'}, 13, "'Python 3' must be lower-case"),
        ({"active": '"yes"'}, 13, "must be true or false"),
        ({"options": "3"}, 13, "must be a table such as { mirrors = false }"),
        ({"fallbacks": '"x"'}, 13, "must be a list of strings"),
        ({"fallbacks": "[1]"}, 13, "must be a list of strings"),
        ({"fallbacks": "[1, 2]"}, 13, "must be a list of strings"),
        ({"window": "7"}, 11, "7 is not one of 1d, 7d, 30d, 90d, 365d, month, instant"),
        ({"fallbacks": '["downloads:httpx:python"]'}, 13, "a metric cannot be its own fallback"),
        ({"fallbacks": '["x:httpx:y"]'}, 13, "there is no metric x:httpx:y"),
        ({"kind": '"total"'}, 13, "'total' is not one of flow, level, counter, rolling"),
        ({"kind": "7"}, 13, "7 is not one of flow, level, counter, rolling"),
        ({"visibility": '"secret"'}, 13, "'secret' is not one of public, team"),
        ({"visibility": "true"}, 13, "True is not one of public, team"),
        ({"kind": '"counter"'}, 13, "is 'counter', but a value that covers '1d' is a flow"),
        ({"unit": '"Uniques"'}, 13, "'Uniques' must be lower-case words, like uniques or open issues"),
        ({"unit": '""'}, 13, "'' must be lower-case words"),
        ({"unit": "7"}, 13, "must be a string"),
        ({"windw": '"1d"'}, 13, "is not a field of [[metric]]; did you mean window or kind?"),
    ],
)
def test_a_fault_names_its_line_its_field_and_a_fix(
    tmp_path: Path, changes: dict[str, str | None], line: int, message: str
) -> None:
    (fault,) = faults(tmp_path, entry(**changes))

    (field,) = changes
    assert fault.startswith(f"line {line}, metric ")
    assert f", {field}: {message}" in fault


@pytest.mark.parametrize(
    ("source", "subject", "options"),
    [
        ("pypistats", "not a package", "{}"),
        ("pypistats", "httpx", '{ mirrors = "no" }'),
        ("npm", "UPPER CASE", "{}"),
        ("github", "no-slash", "{}"),
        ("seed", "httpx", "{ mirrors = true }"),
    ],
)
def test_subject_and_options_are_checked_by_their_source(
    tmp_path: Path, source: str, subject: str, options: str
) -> None:
    window = "instant" if source == "github" else "1d"

    found = faults(
        tmp_path,
        entry(source=f'"{source}"', subject=f'"{subject}"', options=options, window=f'"{window}"'),
    )

    assert found
    assert all(fault.startswith("line ") for fault in found)


SEED_30D = {"id": '"downloads_30d:httpx:python"', "source": '"seed"', "window": '"30d"'}


@pytest.mark.parametrize(
    ("fallback", "message"),
    [
        ({"window": '"1d"'}, "covers '1d'; a fallback covers more than this metric's '1d'"),
        ({"window": '"instant"'}, "is a level, but this metric is a flow"),
        ({"window": '"instant"', "kind": '"counter"'}, "is a counter, but this metric is a flow"),
        ({"unit": '"uniques"'}, "uniques of one window are no measure of those of another"),
        ({"id": '"downloads_30d:ruff:python"'}, "belongs to another product"),
        ({"fallbacks": '["downloads_month:httpx:python"]'}, "chains are not followed"),
    ],
)
def test_a_fallback_must_fit_its_metric(tmp_path: Path, fallback: dict[str, str], message: str) -> None:
    other = {**SEED_30D, **fallback}
    farther = {**SEED_30D, "id": '"downloads_month:httpx:python"'}

    found = faults(tmp_path, entry(fallbacks=f"[{other['id']}]"), entry(**other), entry(**farther))

    assert len(found) == 1
    assert "line 13, metric downloads:httpx:python, fallbacks: " in found[0]
    assert message in found[0]


SEED_METRIC = {"id": '"downloads:httpx:seed"', "source": '"seed"'}


@pytest.mark.parametrize(
    ("own", "other", "message"),
    [
        ("30d", "90d", "a rolling value is never scaled, so its fallback covers '30d' too"),
        ("30d", "1d", "is a flow, but this metric is a rolling"),
        ("7d", "month", "is a flow, but this metric is a rolling"),
        ("90d", "90d", None),
        ("month", "365d", "covers '365d'; a fallback covers more"),
        ("1d", "365d", None),
    ],
)
def test_a_rolling_value_stands_in_for_a_flow_and_for_one_of_its_own_window(
    tmp_path: Path, own: str, other: str, message: str | None
) -> None:
    metric = entry(**SEED_METRIC, window=f'"{own}"', fallbacks=f"[{SEED_30D['id']}]")
    entries = (metric, entry(**{**SEED_30D, "window": f'"{other}"'}))

    if message is None:
        assert loaded(tmp_path, *entries).metrics[0].fallbacks
    else:
        assert message in faults(tmp_path, *entries)[0]


def test_a_counter_has_no_fallback(tmp_path: Path) -> None:
    counter = {"window": '"instant"', "kind": '"counter"'}
    other = entry(**{**SEED_30D, **counter})

    (fault,) = faults(tmp_path, entry(**SEED_METRIC, **counter, fallbacks=f"[{SEED_30D['id']}]"), other)

    assert "is a counter, but this metric is a counter" not in fault
    assert "a counter has no fallback" in fault


@pytest.mark.parametrize(
    ("written", "kind", "unit"),
    [
        ({}, ValueKind.FLOW, "downloads"),
        ({"window": '"instant"'}, ValueKind.LEVEL, "downloads"),
        ({"window": '"instant"', "kind": '"counter"'}, ValueKind.COUNTER, "downloads"),
        ({"window": '"30d"'}, ValueKind.ROLLING, "downloads"),
        ({"window": '"7d"', "kind": '"flow"'}, ValueKind.FLOW, "downloads"),
        ({"unit": '"uniques"'}, ValueKind.FLOW, "uniques"),
        ({"unit": '"open issues"'}, ValueKind.FLOW, "open issues"),
    ],
)
def test_an_entry_has_the_usual_kind_and_unit_unless_it_names_others(
    tmp_path: Path, written: dict[str, str], kind: ValueKind, unit: str
) -> None:
    (metric,) = loaded(tmp_path, entry(source='"seed"', **written)).metrics

    assert (metric.value_kind, metric.unit) == (kind, unit)
    assert (metric.definition(BORN).value_kind, metric.definition(BORN).unit) == (kind, unit)


@pytest.mark.parametrize(
    ("written", "visibility"),
    [(None, Visibility.PUBLIC), ('"public"', Visibility.PUBLIC), ('"team"', Visibility.TEAM)],
)
def test_a_metric_is_public_unless_its_entry_keeps_it_for_the_team(
    tmp_path: Path, written: str | None, visibility: Visibility
) -> None:
    (metric,) = loaded(tmp_path, entry(visibility=written)).metrics

    assert metric.definition(BORN).visibility is visibility


def test_a_fallback_that_is_listed_twice_is_a_fault(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, entry(fallbacks=f"[{SEED_30D['id']}, {SEED_30D['id']}]"), entry(**SEED_30D))

    assert "downloads_30d:httpx:python is listed twice" in fault


def test_an_id_is_unique(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, entry(), entry(subject='"h11"'))

    assert fault == ("line 14, metric downloads:httpx:python, id: is already used in line 7; ids are unique")


@pytest.mark.parametrize("again", [{"subject": '"HTTPX"'}, {"options": "{ mirrors = false }"}])
def test_a_subject_is_counted_once(tmp_path: Path, again: dict[str, str]) -> None:
    (fault,) = faults(tmp_path, entry(), entry(id='"downloads:httpx:again"', **again))

    assert "is already counted by downloads:httpx:python" in fault


@pytest.mark.parametrize(
    ("source", "first", "second", "is_one"),
    [
        ("pypistats", "a_b", "A-b", True),
        ("pypistats", "a.b", "a--b", True),
        ("crates", "a_b", "a-b", True),
        ("npm", "a_b", "a-b", False),
        ("github", "a/b_c", "a/b-c", False),
        ("github", "a/b", "A/B", True),
        ("npm", "JSONStream", "jsonstream", False),
        ("pypistats", "A.b", "a-B", True),
        ("crates", "A_b", "a-B", True),
    ],
)
def test_two_spellings_are_one_subject_where_the_registry_treats_them_as_one(
    tmp_path: Path, source: str, first: str, second: str, is_one: bool
) -> None:
    window = '"instant"' if source == "github" else '"1d"'
    entries = [
        entry(id=f'"of:httpx:{n}"', source=f'"{source}"', subject=f'"{subject}"', window=window)
        for n, subject in enumerate((first, second))
    ]

    if is_one:
        (fault,) = faults(tmp_path, *entries)
        assert f"{second!r} is already counted by of:httpx:0" in fault
    else:
        assert [metric.subject for metric in loaded(tmp_path, *entries).metrics] == [first, second]


CONTROLS = pytest.mark.parametrize("escaped", [r"\u0008", r"\u001b", r"\u202e", r"\u2028"])


@CONTROLS
def test_a_name_is_shown_without_control_characters(tmp_path: Path, escaped: str) -> None:
    (metric,) = loaded(tmp_path, entry(display_name=f'"a{escaped}b"')).metrics
    assert metric.display_name == "ab"


@CONTROLS
def test_a_subject_with_a_control_character_is_refused_and_escaped(tmp_path: Path, escaped: str) -> None:
    (fault,) = faults(tmp_path, entry(source='"seed"', subject=f'"a{escaped}b"'))
    assert "subject: 'a" in fault
    assert "holds a control character. Fix:" in fault
    assert fault.isprintable()


def test_a_name_of_nothing_but_control_characters_is_empty(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, entry(display_name=r'"\u0008"'))
    assert "display_name: is empty" in fault


WITH_MIRRORS = {"options": "{ mirrors = true }"}


@pytest.mark.parametrize("product", ["httpx", "ruff"])
def test_no_total_adds_one_subject_with_and_without_mirrors(tmp_path: Path, product: str) -> None:
    (fault,) = faults(tmp_path, entry(), entry(id=f'"downloads:{product}:all"', **WITH_MIRRORS))

    twice = "options: totals would count the downloads of 'httpx' twice: downloads:httpx:python counts"
    assert f"metric downloads:{product}:all, {twice} the same files." in fault
    assert "Fix: set watch = true in one of the two, which keeps it out of totals, or active = false" in fault


@pytest.mark.parametrize("product", ["httpx", "ruff"])
@pytest.mark.parametrize("kept_out", [{"active": "false"}, {"watch": "true"}])
def test_a_variant_that_is_in_no_total_is_counted_beside_the_other(
    tmp_path: Path, product: str, kept_out: dict[str, str]
) -> None:
    variant = entry(id=f'"downloads:{product}:all"', **kept_out, **WITH_MIRRORS)

    for entries in ([entry(), variant], [variant, entry()]):
        options = [metric.options for metric in loaded(tmp_path, *entries).metrics]
        assert sorted(options, key=len) == [{}, {"mirrors": True}]


def test_every_fault_of_a_file_is_reported_at_once_in_the_order_of_its_lines(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        entry(source='"pypi"', display_name=None, extra="1"),
        "[[product]]\nid = 'Ruff'\n",
        entry(id='"stars:x:github"', source='"github"', subject='"a/b"'),
        head="colour = 'red'\n" + PRODUCTS,
    )

    assert found[:1] == [
        (
            "'colour' is not a part of a catalogue; "
            "expected one of: delivery, feed, goal, mention, metric, name, product"
        )
    ]
    assert [fault.split(",")[0] for fault in found[1:]] == [
        "line 8",
        "line 10",
        "line 13",
        "line 14",
        "line 15",
        "line 17",
        "line 20",
    ]


def test_the_name_at_the_top_is_what_all_products_are_called(tmp_path: Path) -> None:
    assert loaded(tmp_path, entry(), head=f"name = 'Acme open source'\n{PRODUCTS}").name == "Acme open source"
    assert loaded(tmp_path, entry()).name is None


@pytest.mark.parametrize("name", ["''", "'  '", "7", f"'{'a' * 81}'"])
def test_a_name_is_a_short_text(tmp_path: Path, name: str) -> None:
    (fault,) = faults(tmp_path, entry(), head=f"name = {name}\n{PRODUCTS}")

    assert fault == "'name' must be a text of 1 to 80 characters"


def test_a_header_in_a_comment_or_a_string_does_not_shift_the_lines(tmp_path: Path) -> None:
    decoys = '# [[metric]]\n[[product]]\nid = "a"\nname = """\n[[metric]]\nid = "x"\n"""\n'

    (fault,) = faults(tmp_path, decoys, entry(window='"2d"'))

    assert fault.startswith("line 18, metric downloads:httpx:python, window:")


def test_an_invalid_field_causes_no_other_fault(tmp_path: Path) -> None:
    malformed = '"downloads:ruff:Old"'

    found = faults(
        tmp_path,
        entry(fallbacks=f"[{malformed}]"),
        entry(id=malformed, source='"seed"', window='"30d"'),
        entry(id="7", subject='"h11"', window="[]"),
    )

    assert [fault.split(", ")[0] for fault in found] == ["line 15", "line 21", "line 24"]


def test_entries_without_headers_are_named_by_number(tmp_path: Path) -> None:
    (fault,) = faults(
        tmp_path,
        head='metric = [{ id = 3, source = "seed", subject = "a", window = "1d", display_name = "A" }]',
    )

    assert fault == "metric number 1, id: must be a string"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no [[metric]]"),
        (b"# nothing\n", "has no [[metric]]"),
        (b"[[metric]\n", "it is not valid TOML"),
        (b"a = 1\na = 2\n", "line 2"),
        (b"# caf\xc3\xa9\n# caf\xe9\n", "line 2 is not UTF-8"),
        (b"metric = 3\n", "'metric' must be written as [[metric]] entries"),
        (b"[metric]\n", "'metric' must be written as [[metric]] entries"),
        (b"[[metrics]]\n", "did you mean metric?"),
    ],
)
def test_a_file_that_is_not_a_catalogue_is_one_error(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "catalog.toml"
    file.write_bytes(content)

    with pytest.raises(CatalogError) as caught:
        load_catalog(file)

    assert str(file) in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["missing.toml", "."])
def test_a_file_that_cannot_be_read_is_one_error_with_its_fix(tmp_path: Path, name: str) -> None:
    with pytest.raises(CatalogError, match=r"cannot be read: .*Fix: set CM_CATALOG") as caught:
        load_catalog(tmp_path / name)

    assert caught.value.exit_code == 2


def test_a_byte_order_mark_of_windows_is_accepted(tmp_path: Path) -> None:
    file = tmp_path / "catalog.toml"
    file.write_bytes(b"\xef\xbb\xbf" + (PRODUCTS + entry()).replace("\n", "\r\n").encode())

    assert len(load_catalog(file).metrics) == 1


def test_the_lines_of_the_packaged_catalogue_match_its_text() -> None:
    text = PACKAGED_CATALOG.read_text(encoding="utf-8")
    numbered = text.splitlines()

    places = entry_lines(text)["metric"]

    assert len(places) == len(tomllib.loads(text)["metric"])
    assert {numbered[place[HEADER] - 1] for place in places} == {"[[metric]]"}
    assert all(numbered[place["id"] - 1].startswith("id = ") for place in places)


@given(st.lists(st.text(alphabet="a\"'#[]= \\", max_size=12), max_size=6))
def test_the_entries_of_a_catalogue_are_found_whatever_strings_it_has(names: list[str]) -> None:
    blocks = [f"[[metric]]\nname = {toml_string(name).as_string()}\n" for name in names]

    places = entry_lines("".join(blocks)).get("metric", [])

    assert [place[HEADER] for place in places] == [2 * n + 1 for n in range(len(names))]


def test_a_file_without_an_end_is_read_no_further_than_a_catalogue_may_be_long() -> None:
    with pytest.raises(CatalogError, match=r"/dev/zero has more than 16 MiB, .* Fix: set CM_CATALOG"):
        load_catalog(Path("/dev/zero"))


class TestGoals:
    """Entries of `[[goal]]`."""

    head = PRODUCTS + entry()
    stars = entry(id='"stars:httpx:github"', source='"github"', subject='"encode/httpx"', window='"instant"')

    @staticmethod
    def goal(**fields: str) -> str:
        given_fields = {"value": "1_000", "date": "2027-12-31", **fields}
        return "\n".join(["[[goal]]", *(f"{name} = {value}" for name, value in given_fields.items()), ""])

    def test_a_goal_is_about_a_metric_or_about_the_downloads_of_a_product(self, tmp_path: Path) -> None:
        of_metric = self.goal(metric='"stars:httpx:github"', name='"A thousand"')
        of_product = self.goal(product='"httpx"', since="2027-01-01", visibility='"team"')
        one, other = loaded(tmp_path, self.stars, of_metric, of_product, head=self.head).goals
        assert (one.metric_id, one.value, one.day, one.name) == (
            "stars:httpx:github",
            1_000,
            date(2027, 12, 31),
            "A thousand",
        )
        assert (other.product, other.since, other.visibility) == ("httpx", date(2027, 1, 1), Visibility.TEAM)

    @pytest.mark.parametrize(
        ("fields", "fault"),
        [
            ({}, "line 13, goal number 1, metric: is missing. Fix: write the id of a metric, or product"),
            (
                {"metric": '"downloads:httpx:python"', "product": '"httpx"'},
                "line 17, goal number 1, product: cannot be combined with metric. Fix: leave one of the",
            ),
            (
                {"metric": '"downloads:httpx:pyton"'},
                "line 16, goal number 1, metric: there is no metric downloads:httpx:pyton; did you mean",
            ),
            ({"product": '"htpx"'}, "product: there is no [[product]] 'htpx'; did you mean httpx?"),
            ({"product": '"ruff"'}, "product: ruff has no active daily downloads, whose total a goal sums"),
            (
                {"product": '"httpx"', "value": "0"},
                "line 14, goal number 1, value: must be a whole number",
            ),
            ({"product": '"httpx"', "value": "true"}, "value: must be a whole number from 1"),
            (
                {"product": '"httpx"', "date": '"2027-12-31"'},
                "date: must be a day without quotes, such as",
            ),
            ({"product": '"httpx"', "date": "2027-12-31T00:00:00Z"}, "date: must be a day without quotes"),
            (
                {"product": '"httpx"', "since": "2028-01-01"},
                "since: is 2028-01-01, after the date 2027-12-31. Fix: write an earlier day",
            ),
            ({"product": '"httpx"', "until": "2028-01-01"}, "until: is not a field of [[goal]]"),
        ],
    )
    def test_a_fault_names_the_line_and_the_fix(
        self, tmp_path: Path, fields: dict[str, str], fault: str
    ) -> None:
        (found,) = faults(tmp_path, self.goal(**fields), head=self.head)
        assert fault in found

    @pytest.mark.parametrize(
        ("changes", "goal", "fault"),
        [
            (
                {"active": "false"},
                {},
                "gets no new values. Fix: write active = true there, or",
            ),
            ({"unit": '"uniques"', "source": '"seed"'}, {}, "counts uniques, which do not add up"),
            ({"window": '"month"', "source": '"seed"'}, {}, "has no values of days, which a goal sums"),
            (
                {"window": '"30d"', "source": '"seed"'},
                {"since": "2027-01-01"},
                "since: is for sums of days, but downloads:httpx:python is of the kind rolling",
            ),
        ],
    )
    def test_what_has_no_such_value_has_no_goal(
        self, tmp_path: Path, changes: dict[str, str], goal: dict[str, str], fault: str
    ) -> None:
        written = self.goal(metric='"downloads:httpx:python"', **goal)
        (found,) = faults(tmp_path, entry(**changes), written)
        assert fault in found
