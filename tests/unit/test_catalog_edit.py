from __future__ import annotations

import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community_metrics.catalog.catalog import PACKAGED_CATALOG, load_catalog
from community_metrics.catalog.edit import plan_addition
from community_metrics.catalog.files import NewFile, init_catalog, write_new_files
from community_metrics.catalog.remove import remove_metrics
from community_metrics.catalog.spec import parse_spec, specs_in
from community_metrics.errors import CatalogError, ConfigurationError
from community_metrics.model import SourceWindow
from community_metrics.sources import available_sources

OWN = """\
# ours, since 2026
[[product]]
id = "httpx" # the client
name = "HTTPX"

[[metric]]
id = "downloads:httpx:python"
source = "pypistats"
subject = "httpx"
window = "1d"   # a day
display_name = "HTTPX"
# the end"""


def add_metric(
    path: Path | None, spec: str, product: str, *, name: str | None = None, metric_id: str | None = None
) -> tuple[str, ...]:
    addition = plan_addition(path, [spec], product, name=name, metric_id=metric_id)
    addition.write()
    return addition.metric_ids


@pytest.fixture
def own(tmp_path: Path) -> Path:
    file = tmp_path / "catalog.toml"
    file.write_text(OWN, encoding="utf-8")
    return file


@pytest.mark.parametrize("second", ["x" * 300, "missing/folder"], ids=["a long name", "no folder"])
def test_of_new_files_all_are_written_or_none(tmp_path: Path, second: str) -> None:
    files = [NewFile(tmp_path / "catalog.toml", b"a"), NewFile(tmp_path / second, b"b", is_secret=True)]
    with pytest.raises(ConfigurationError, match=r"cannot be written: .*Nothing was changed"):
        write_new_files(files)
    assert list(tmp_path.iterdir()) == []


def test_a_new_file_never_overwrites_another_one(tmp_path: Path) -> None:
    (tmp_path / ".env").symlink_to("nowhere")
    files = [NewFile(tmp_path / "catalog.toml", b"a"), NewFile(tmp_path / ".env", b"b")]
    with pytest.raises(ConfigurationError, match=r"\.env exists already, and nothing was changed"):
        write_new_files(files)
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


def test_a_team_starts_its_own_catalogue_in_two_commands(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"

    init_catalog(file)
    added = add_metric(file, "pypistats:httpx", "httpx", name="HTTPX")

    (metric,) = load_catalog(file).metrics
    assert added == (metric.metric_id,) == ("downloads:httpx:python",)
    assert (metric.sdk, metric.window, metric.is_active) == ("python", SourceWindow.DAY, True)
    assert metric.display_name == "HTTPX for Python (PyPI httpx)"


def test_the_starter_does_not_mention_lance_and_its_error_suggests_the_next_command(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"

    init_catalog(file)

    assert "lance" not in file.read_text(encoding="utf-8").lower()
    with pytest.raises(CatalogError, match="community-metrics catalog add pypistats:httpx"):
        load_catalog(file)


def test_the_example_in_the_starter_is_a_valid_catalogue(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    init_catalog(file)
    _, example = file.read_text(encoding="utf-8").split("remove the # to use it:\n#\n")

    file.write_text(example.replace("# ", "").replace("#\n", "\n"), encoding="utf-8")

    assert [metric.subject for metric in load_catalog(file).metrics] == ["httpx"]


def test_an_existing_file_is_never_overwritten_by_a_starter(own: Path) -> None:
    with pytest.raises(ConfigurationError, match="exists already and was not changed"):
        init_catalog(own)

    assert own.read_text(encoding="utf-8") == OWN


def test_a_starter_in_a_missing_folder_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be written: No such file"):
        init_catalog(tmp_path / "missing" / "mine.toml")


@pytest.mark.parametrize(
    ("spec", "product", "ids"),
    [
        ("npm:@scope/pkg", "pkg", ("downloads:pkg:nodejs",)),
        ("crates:serde", "serde", ("downloads:serde:rust",)),
        ("pypistats:httpx-ws", "httpx", ("downloads:httpx:python-httpx-ws",)),
        ("pypistats:Zope.Interface_X", "httpx", ("downloads:httpx:python-zope.interface_x",)),
        ("github:encode/httpx", "httpx", ("stars:httpx:github", "stars_retained:httpx:github")),
        ("github-history:encode/httpx", "httpx", ("stars_retained:httpx:github",)),
        ("rubygems:rails", "rails", ("downloads_total:rails:ruby",)),
        ("nuget:Newtonsoft.Json", "json", ("downloads_total:json:dotnet",)),
        ("packagist:monolog/monolog", "monolog", ("downloads_total:monolog:php",)),
        ("packagist-30d:monolog/monolog", "monolog", ("downloads_30d:monolog:php",)),
        ("open-vsx:redhat/java", "java", ("downloads_total:java:openvsx",)),
        ("docker:lancedb/lancedb", "lancedb", ("pulls:lancedb:docker",)),
        ("conda:conda-forge/lancedb", "lancedb", ("downloads_total:lancedb:conda",)),
        ("huggingface:lancedb/m", "lancedb", ("downloads_30d:lancedb:huggingface",)),
        ("huggingface-likes:datasets/lancedb/d", "lancedb", ("likes:lancedb:huggingface",)),
        ("duckdb-extensions:lance", "lance", ("downloads_week:lance:duckdb",)),
        ("homebrew:duckdb", "duckdb", ("installs_30d:duckdb:homebrew",)),
        ("homebrew-365d:cask/firefox", "firefox", ("installs_365d:firefox:homebrew",)),
    ],
)
def test_an_id_is_made_of_family_product_and_sdk(
    own: Path, spec: str, product: str, ids: tuple[str, ...]
) -> None:
    assert add_metric(own, spec, product) == ids
    assert [metric.metric_id for metric in load_catalog(own).metrics[1:]] == list(ids)


def test_two_series_of_one_package_have_titles_of_their_own(own: Path) -> None:
    add_metric(own, "packagist:monolog/monolog", "monolog", name="Monolog")
    add_metric(own, "packagist-30d:monolog/monolog", "monolog")

    assert [(metric.display_name, metric.unit) for metric in load_catalog(own).metrics[1:]] == [
        ("Monolog for PHP, downloads in total (Packagist monolog/monolog)", "downloads"),
        ("Monolog for PHP, downloads of 30 days (Packagist monolog/monolog)", "downloads"),
    ]


@pytest.mark.parametrize(
    ("added", "again"),
    [
        ("nuget:Newtonsoft.Json", "nuget:newtonsoft.json"),
        ("packagist:monolog/monolog", "packagist:Monolog/Monolog"),
        ("open-vsx:redhat/java", "open-vsx:RedHat/Java"),
    ],
)
def test_a_package_is_counted_once_in_any_spelling_of_its_name(own: Path, added: str, again: str) -> None:
    add_metric(own, added, "x")

    with pytest.raises(ConfigurationError, match="already counts"):
        add_metric(own, again, "x")


def test_a_repository_whose_star_history_is_tracked_gets_only_its_count(own: Path) -> None:
    add_metric(own, "github-history:encode/httpx", "httpx")

    assert add_metric(own, "github:encode/httpx", "httpx") == ("stars:httpx:github",)


def test_a_second_repository_of_a_product_has_both_its_metrics_named_after_it(own: Path) -> None:
    add_metric(own, "github:encode/httpx", "httpx")

    added = add_metric(own, "github:encode/httpcore", "httpx")

    assert added == (
        "stars:httpx:github-encode-httpcore",
        "stars_retained:httpx:github-encode-httpcore",
    )


def test_a_given_id_names_the_companion_too(own: Path) -> None:
    added = add_metric(own, "github:encode/httpx", "httpx", metric_id="stars:httpx:main")

    assert added == ("stars:httpx:main", "stars_retained:httpx:main")


def test_the_existing_content_stays_byte_for_byte(own: Path) -> None:
    before = own.read_bytes()

    add_metric(own, "crates:serde", "serde", name='The "serde" crate')

    assert own.read_bytes().startswith(before)
    assert load_catalog(own).products[-1].name == 'The "serde" crate'


@given(st.text(alphabet=st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1).filter(str.strip))
def test_any_name_survives_the_file(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "catalog.toml")
        init_catalog(file)

        add_metric(file, "crates:serde", "serde", name=name)

        assert load_catalog(file).products[0].name == name


def test_the_line_endings_and_byte_order_mark_of_windows_are_kept(own: Path) -> None:
    before = b"\xef\xbb\xbf" + OWN.replace("\n", "\r\n").encode()
    own.write_bytes(before)

    add_metric(own, "crates:serde", "serde")

    after = own.read_bytes()
    assert after.startswith(before)
    assert after.count(b"\n") == after.count(b"\r\n")


def test_a_known_product_is_not_added_again(own: Path) -> None:
    add_metric(own, "crates:httpx", "httpx", name="HTTPX")

    assert [product.id for product in load_catalog(own).products] == ["httpx"]


@pytest.mark.parametrize(
    ("spec", "product", "more", "message"),
    [
        ("pypistats:HTTPX", "httpx", {}, "already counts pypistats:HTTPX, as downloads:httpx:python"),
        ("pypi:x", "x", {}, "There is no source 'pypi'; did you mean pypistats?"),
        ("PyPI:x", "x", {}, "There is no source 'PyPI'; did you mean pypistats?"),
        ("Crates.io:x", "x", {}, "There is no source 'Crates.io'; did you mean crates?"),
        ("GitHub:o/r", "x", {}, "There is no source 'GitHub'; did you mean github"),
        ("https://github.com/o", "x", {}, "is not the page of a package or repository"),
        ("https://example.org/o/r", "x", {}, "is not the page of a package or repository"),
        ("npm", "x", {}, "'npm' has no package or repository"),
        ("npm:", "x", {}, "'npm:' has no package or repository"),
        ("npm:Not A Package", "x", {}, "is not an npm package name"),
        ("github:httpx", "x", {}, "github:httpx cannot be added:"),
        ("seed:x", "x", {}, "written into the catalogue by hand"),
        ("npm:x", "X", {}, "The product 'X' must be lower-case"),
        ("npm:x", "httpx", {"name": "Other"}, "already has the name 'HTTPX'"),
        ("npm:x", "x", {"metric_id": "downloads:httpx:nodejs"}, "must have the product x as its middle part"),
        ("npm:x", "x", {"metric_id": "Downloads:x:nodejs"}, "is not family:product:detail"),
        ("npm:x", "httpx", {"metric_id": "downloads:httpx:python"}, "is already used in line 6"),
    ],
)
def test_an_invalid_addition_is_rejected_and_nothing_is_written(
    own: Path, spec: str, product: str, more: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        add_metric(own, spec, product, name=more.get("name"), metric_id=more.get("metric_id"))

    assert message in str(caught.value)
    assert own.read_text(encoding="utf-8") == OWN


def test_another_spelling_of_a_counted_package_is_not_added(own: Path) -> None:
    add_metric(own, "pypistats:http_x", "httpx")

    with pytest.raises(
        ConfigurationError, match=r"already counts pypistats:Http\.X, as downloads:httpx:python-"
    ):
        add_metric(own, "pypistats:Http.X", "other")


def test_a_package_is_not_added_beside_its_count_with_mirrors(own: Path) -> None:
    with_mirrors = OWN.replace('subject = "httpx"', 'subject = "httpx"\noptions = { mirrors = true }')
    own.write_text(with_mirrors, encoding="utf-8")

    with pytest.raises(CatalogError, match="Fix: set watch = true in one of the two"):
        add_metric(own, "pypistats:httpx", "httpx")

    assert own.read_text(encoding="utf-8") == with_mirrors
    own.write_text(
        with_mirrors.replace("mirrors = true }", "mirrors = true }\nwatch = true"), encoding="utf-8"
    )
    assert add_metric(own, "pypistats:httpx", "httpx-plain") == ("downloads:httpx-plain:python",)


def test_a_catalogue_with_faults_is_not_extended(own: Path) -> None:
    own.write_text(OWN.replace('"1d"', '"2d"'), encoding="utf-8")

    with pytest.raises(CatalogError, match="'2d' is not one of"):
        add_metric(own, "crates:serde", "serde")


def test_a_catalogue_with_inline_entries_is_not_extended(own: Path) -> None:
    own.write_text("product = []\n", encoding="utf-8")

    with pytest.raises(CatalogError, match="crates:serde was not added"):
        add_metric(own, "crates:serde", "serde")


@pytest.mark.parametrize("path", [None, PACKAGED_CATALOG])
def test_the_packaged_catalogue_is_not_edited(path: Path | None) -> None:
    before = PACKAGED_CATALOG.read_bytes()

    with pytest.raises(ConfigurationError) as caught:
        add_metric(path, "pypistats:httpx", "httpx")

    assert caught.value.faults == [
        "community-metrics catalog init my-catalog.toml",
        "export CM_CATALOG=my-catalog.toml",
    ]
    assert PACKAGED_CATALOG.read_bytes() == before


def test_the_error_for_a_missing_catalogue_includes_how_to_create_one(tmp_path: Path) -> None:
    missing = tmp_path / "mine.toml"

    with pytest.raises(CatalogError, match=f"community-metrics catalog init {missing}"):
        add_metric(missing, "pypistats:httpx", "httpx")


def test_a_symbolic_link_and_permissions_are_kept(own: Path, tmp_path: Path) -> None:
    own.chmod(0o640)
    link = tmp_path / "link.toml"
    link.symlink_to(own)

    add_metric(link, "crates:serde", "serde")

    assert link.is_symlink()
    assert stat.S_IMODE(own.stat().st_mode) == 0o640
    assert len(load_catalog(own).metrics) == 2


def test_an_edit_leaves_no_other_file_behind(own: Path) -> None:
    add_metric(own, "crates:serde", "serde")

    assert [file.name for file in own.parent.iterdir()] == ["catalog.toml"]


@pytest.mark.parametrize(
    ("page", "source", "subject"),
    [
        ("https://github.com/o/r", "github", "o/r"),
        ("https://github.com/o/r.git", "github", "o/r"),
        ("github.com/o/r/tree/main?tab=readme", "github", "o/r"),
        ("https://crates.io/crates/lance", "crates", "lance"),
        ("https://pypistats.org/packages/pylance", "pypistats", "pylance"),
        ("https://www.npmjs.example/package/@lancedb%2Flancedb", "npm", "@lancedb/lancedb"),
        ("https://pypi.example/project/pylance/#history", "pypistats", "pylance"),
        ("https://rubygems.org/gems/rails/versions/8.0.0", "rubygems", "rails"),
        ("https://www.nuget.org/packages/Newtonsoft.Json/13.0.4", "nuget", "Newtonsoft.Json"),
        ("https://packagist.org/packages/monolog/monolog", "packagist", "monolog/monolog"),
        ("https://open-vsx.org/extension/redhat/java/reviews", "open-vsx", "redhat/java"),
        ("https://hub.docker.com/r/lancedb/lancedb/tags", "docker", "lancedb/lancedb"),
        ("https://huggingface.co/lancedb/some-model/tree/main", "huggingface", "lancedb/some-model"),
        ("https://huggingface.co/datasets/lancedb/d", "huggingface", "datasets/lancedb/d"),
        ("https://anaconda.org/conda-forge/lancedb/files", "conda", "conda-forge/lancedb"),
        ("https://formulae.brew.sh/formula/duckdb#default", "homebrew", "duckdb"),
        ("https://formulae.brew.sh/cask/firefox", "homebrew", "cask/firefox"),
    ],
)
def test_the_address_of_a_page_is_understood(page: str, source: str, subject: str) -> None:
    found, named = parse_spec(page, available_sources())

    assert (found.name, named) == (source, subject)


def test_a_page_that_names_no_namespace_says_how_to_write_an_official_image() -> None:
    with pytest.raises(ConfigurationError, match="cannot be added") as caught:
        parse_spec("https://hub.docker.com/_/python", available_sources())

    assert "an official image is written library/python" in str(caught.value)


def test_another_page_of_a_registry_is_no_subject() -> None:
    with pytest.raises(ConfigurationError, match="is not the page of a package or repository"):
        parse_spec("https://formulae.brew.sh/analytics/", available_sources())


def test_several_packages_are_added_together_or_not_at_all(own: Path) -> None:
    addition = plan_addition(own, ["crates:a", "npm:a", "github:o/r"], "a")
    addition.write()

    assert addition.metric_ids == (
        "downloads:a:rust",
        "downloads:a:nodejs",
        "stars:a:github",
        "stars_retained:a:github",
    )
    with pytest.raises(ConfigurationError, match="already counts crates:a"):
        plan_addition(own, ["crates:b", "crates:a"], "b")
    with pytest.raises(ConfigurationError, match="can be the id of one metric"):
        plan_addition(own, ["crates:b", "crates:c"], "b", metric_id="downloads:b:rust")
    assert len(load_catalog(own).metrics) == 5


def test_a_list_has_one_package_in_a_line(tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("# ours\ncrates:a\n\n  npm:@s/b  # the client\nhttps://github.com/o/r#readme\n")

    assert specs_in(file) == ["crates:a", "npm:@s/b", "https://github.com/o/r#readme"]


@pytest.mark.parametrize("content", [b"", b"# nothing\n", b"\xff"])
def test_a_list_without_packages_is_an_error(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "list.txt"
    file.write_bytes(content)

    with pytest.raises(ConfigurationError, match=r"list\.txt"):
        specs_in(file)


THREE = (
    OWN.replace("# the end", "")
    + """
# --- ours too
[[product]]
id = "other"
name = "Other"

# the crate
[[metric]]
id = "downloads:httpx:rust"
source = "crates"
subject = "httpx" # "[[metric]]"
window = "1d"
display_name = '''
[[metric]]'''

# the fork
[[metric]]
id = "downloads:other:rust"
source = "crates"
subject = "other"
window = "1d"
display_name = "Other"
# the end"""
)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_removed_metric_leaves_every_other_line_and_comment(own: Path, newline: str) -> None:
    own.write_bytes(THREE.replace("\n", newline).encode())
    entry = THREE[THREE.index('[[metric]]\nid = "downloads:httpx:rust"') : THREE.index("# the fork")]

    products = remove_metrics(own, ["downloads:httpx:rust"])

    assert products == ()
    assert own.read_bytes() == THREE.replace(entry, "").replace("\n", newline).encode()


def test_a_goal_after_a_removed_metric_stays(own: Path) -> None:
    goal = '\n\n[[goal]]\nmetric = "downloads:httpx:python"\nvalue = 5\ndate = 2027-12-31\n'
    own.write_text(THREE + goal, encoding="utf-8")

    remove_metrics(own, ["downloads:other:rust"])

    assert [one.value for one in load_catalog(own).goals] == [5]


def test_a_metric_with_a_goal_is_not_removed(own: Path) -> None:
    goal = '\n\n[[goal]]\nmetric = "downloads:other:rust"\nvalue = 5\ndate = 2027-12-31\n'
    own.write_text(THREE + goal, encoding="utf-8")

    with pytest.raises(CatalogError, match="goal number 1, metric: there is no metric downloads:other:rust"):
        remove_metrics(own, ["downloads:other:rust"])


def test_a_product_without_metrics_is_removed_too(own: Path) -> None:
    own.write_text(THREE, encoding="utf-8")

    assert remove_metrics(own, ["downloads:other:rust"]) == ("other",)

    catalog = load_catalog(own)
    assert [product.id for product in catalog.products] == ["httpx"]
    assert [metric.metric_id for metric in catalog.metrics] == [
        "downloads:httpx:python",
        "downloads:httpx:rust",
    ]
    assert own.read_text(encoding="utf-8").endswith("# the fork\n# the end")


def test_what_was_added_can_be_removed(own: Path) -> None:
    added = add_metric(own, "github:encode/httpx", "new")

    assert remove_metrics(own, added) == ("new",)
    assert own.read_text(encoding="utf-8").rstrip() == OWN


def test_a_fallback_is_not_removed_while_a_metric_names_it(own: Path) -> None:
    text = OWN.replace("# the end", 'fallbacks = ["downloads_30d:httpx:python"]\n\n')
    wide = OWN[OWN.index("[[metric]]") :].replace("downloads:", "downloads_30d:")
    own.write_text(text + wide.replace('"1d"', '"30d"').replace("pypistats", "seed"), encoding="utf-8")
    before = own.read_bytes()

    with pytest.raises(CatalogError, match="Nothing was removed, because"):
        remove_metrics(own, ["downloads_30d:httpx:python"])

    assert own.read_bytes() == before


@pytest.mark.parametrize(
    ("path", "metric_id", "message"),
    [
        (None, "downloads:lance:python", "CM_CATALOG does not name a catalogue of your own"),
        ("own", "downloads:httpx:pyton", "did you mean downloads:httpx:python"),
    ],
)
def test_a_removal_that_is_not_possible_names_the_reason(
    own: Path, path: str | None, metric_id: str, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        remove_metrics(own if path else None, [metric_id])


def test_inline_entries_are_removed_by_hand(own: Path) -> None:
    own.write_text(
        'product = [{ id = "a", name = "A" }]\nmetric = [{ id = "downloads:a:rust", source = "crates", '
        'subject = "a", window = "1d", display_name = "A" }]\n',
        encoding="utf-8",
    )

    with pytest.raises(CatalogError, match="Fix: remove the metric by hand"):
        remove_metrics(own, ["downloads:a:rust"])


@pytest.mark.parametrize(
    ("source", "families"),
    [
        ("github-traffic", ["views", "view_uniques", "clones", "clone_uniques"]),
        ("github-repo", ["forks", "watchers", "open_issues", "open_pull_requests"]),
        ("github-referrers", ["referrers"]),
        ("github-paths", ["paths"]),
        ("github-releases", ["release_downloads"]),
    ],
)
def test_a_source_that_counts_several_things_is_added_with_all_of_them(
    source: str, families: list[str], own: Path
) -> None:
    added = add_metric(own, f"{source}:encode/httpx", "httpx")
    assert list(added) == [f"{family}:httpx:github" for family in families]
    metrics = [load_catalog(own).metric(name) for name in added]
    assert {(metric.source, metric.subject) for metric in metrics} == {(source, "encode/httpx")}
    with pytest.raises(ConfigurationError, match=f"already counts .* as {added[0]}"):
        add_metric(own, f"{source}:Encode/HTTPX", "httpx")


def test_the_metrics_of_one_source_differ_by_options_unit_and_name(own: Path) -> None:
    added = add_metric(own, "github-traffic:encode/httpx", "httpx")
    metrics = [load_catalog(own).metric(name) for name in added]
    assert [metric.unit for metric in metrics] == ["views", "uniques", "clones", "uniques"]
    assert metrics[3].options == {"count": "clones", "unique": True}
    assert [metric.display_name for metric in metrics[:2]] == [
        "HTTPX views (GitHub encode/httpx)",
        "HTTPX unique viewers (GitHub encode/httpx)",
    ]


def test_only_the_series_that_are_not_counted_yet_are_added(own: Path) -> None:
    views, *others = add_metric(own, "github-traffic:encode/httpx", "httpx")
    remove_metrics(own, others)
    again = add_metric(own, "github-traffic:encode/httpx", "httpx")
    assert len(again) == 3
    assert views not in again


def test_an_id_of_ones_own_gives_the_other_series_its_detail(own: Path) -> None:
    added = add_metric(own, "github-traffic:encode/httpx", "httpx", metric_id="visits:httpx:main")
    assert added == (
        "visits:httpx:main",
        "view_uniques:httpx:main",
        "clones:httpx:main",
        "clone_uniques:httpx:main",
    )
