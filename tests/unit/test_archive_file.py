from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community_metrics.sources.archive_file import DayFile, DayTotals, Owners

OWNERS = Owners({"lance": frozenset({1, 3}), "lancedb": frozenset({5})})
HEADER = b"version_id,downloads\n"


def read(content: bytes, size: int = 7) -> DayTotals:
    file = DayFile(OWNERS)
    for at in range(0, len(content), size):
        file.feed(content[at : at + size])
    return file.result()


@pytest.mark.parametrize(
    "rows",
    [
        b",5\n",
        b"1,\n",
        b"1,,5\n",
        b"\n",
        b"1,5\n\n",
        b"1 ,5\n",
        b"1,5,6\n",
        b"1,+5\n",
        b"1,9999999999999999999\n",
    ],
)
def test_a_line_that_is_no_version_with_its_downloads_spoils_the_file(rows: bytes) -> None:
    with pytest.raises(ValueError, match="a line is not version_id,downloads"):
        read(HEADER + b"2,1\n" + rows + b"4,1\n")


def test_a_wanted_version_that_occurs_twice_spoils_the_file() -> None:
    assert read(HEADER + b"2,1\n2,1\n") == DayTotals(2, {})
    with pytest.raises(ValueError, match="1 version occurs twice"):
        read(HEADER + b"3,1\n2,1\n3,4\n")


def test_a_crate_without_a_row_is_not_among_the_sums() -> None:
    assert read(HEADER + b"1,2\n9,10\n3,0\n") == DayTotals(12, {"lance": 2})


_counts = st.dictionaries(st.integers(0, 12), st.integers(0, 10**6), max_size=13)


@given(_counts, st.integers(1, 40), st.sampled_from([b"\n", b"\r\n"]))
def test_the_sums_do_not_depend_on_the_pieces(counts: dict[int, int], size: int, end: bytes) -> None:
    rows = b"".join(b"%d,%d%s" % (version, count, end) for version, count in counts.items())
    owned = {"lance": [counts[one] for one in (1, 3) if one in counts]}
    owned["lancedb"] = [counts[5]] if 5 in counts else []
    expected = {name: sum(values) for name, values in owned.items() if values}
    assert read(HEADER.replace(b"\n", end) + rows, size) == DayTotals(sum(counts.values()), expected)
