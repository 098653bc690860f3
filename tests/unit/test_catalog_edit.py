from __future__ import annotations

import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community_metrics.catalog.catalog import PACKAGED_CATALOG, load_catalog
from community_metrics.catalog.edit import add_metric, init_catalog
from community_metrics.errors import CatalogError, ConfigurationError
from community_metrics.model import SourceWindow

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


@pytest.fixture
def own(tmp_path: Path) -> Path:
    file = tmp_path / "catalog.toml"
    file.write_text(OWN, encoding="utf-8")
    return file


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
    ],
)
def test_an_id_is_made_of_family_product_and_sdk(
    own: Path, spec: str, product: str, ids: tuple[str, ...]
) -> None:
    assert add_metric(own, spec, product) == ids
    assert [metric.metric_id for metric in load_catalog(own).metrics[1:]] == list(ids)


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

    with pytest.raises(CatalogError, match="Fix: use another product"):
        add_metric(own, "pypistats:httpx", "httpx")

    assert own.read_text(encoding="utf-8") == with_mirrors
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
