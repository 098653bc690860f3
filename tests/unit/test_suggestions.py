"""Names similar to an unknown one are found in a bounded time, however many names there are."""

from __future__ import annotations

import pytest

from community_metrics.suggestions import SIMILAR_IDS, shortened, similar_ids

MANY = {f"downloads:product{i // 7}:lang{i}": (f"package-{i}",) for i in range(5_000)}


@pytest.mark.parametrize("name", ["a" * 251, "ab" * 35_000])
def test_a_name_longer_than_any_id_is_like_none(name: str) -> None:
    assert similar_ids(name, MANY | {"a" * 250: ()}) == []


def test_a_misspelt_id_is_found_among_many() -> None:
    assert similar_ids("downloads:produkt7:lang54", MANY)[0] == "downloads:product7:lang54"


@pytest.mark.parametrize("name", ["package-4321", "LANG4321"])
def test_an_id_is_found_among_many_by_its_package_and_by_its_part(name: str) -> None:
    assert similar_ids(name, MANY) == ["downloads:product617:lang4321"]


def test_ids_that_differ_in_capitals_alone_are_all_found() -> None:
    known = {"downloads:p:JSONStream": (), "downloads:p:jsonstream": ()}
    assert set(similar_ids("jsonstream", known)) == set(known)


def test_a_name_of_no_letters_is_similar_to_none() -> None:
    assert similar_ids("", MANY) == []


def test_at_most_three_ids_are_found() -> None:
    assert len(similar_ids("downloads", MANY)) == SIMILAR_IDS


def test_a_long_name_is_repeated_in_part() -> None:
    assert (shortened("a" * 100), shortened("a" * 101)) == ("a" * 100, "a" * 100 + "…")
