"""A link that a package states is read as a browser or Git would open it."""

from __future__ import annotations

import pytest

from community_metrics.discovery.github_links import place_of

ROCKET = "github.com/acme/rocket"


@pytest.mark.parametrize(
    ("url", "owner", "name"),
    [
        ("https://github.com/acme/rocket", "acme", ROCKET),
        ("https://GitHub.com/acme/rocket", "acme", ROCKET),
        ("HTTPS://github.com/acme/rocket/issues?q=1#top", "acme", ROCKET),
        ("http://www.github.com:80/acme/rocket/", "acme", ROCKET),
        ("https://github.com./acme/rocket", "acme", ROCKET),
        ("//github.com/acme/rocket", "acme", ROCKET),
        ("github.com/acme/rocket", "acme", ROCKET),
        ("git+https://github.com/acme/rocket.git", "acme", ROCKET),
        ("git://github.com/acme/rocket.git", "acme", ROCKET),
        ("git@github.com:acme/rocket.git", "acme", ROCKET),
        ("git+ssh://git@github.com/acme/rocket.git", "acme", ROCKET),
        ("ssh://git@github.com:22/acme/rocket.git", "acme", ROCKET),
        ("ssh://git@github.com:acme/rocket.git", "acme", ROCKET),
        (" https://github.com/Acme/Rocket ", "Acme", "github.com/Acme/Rocket"),
        ("https://github.com/acme", "acme", "github.com/acme"),
        ("https://github.com/acme/", "acme", "github.com/acme"),
        ("https://acme.github.io/rocket/guide", "acme", "acme.github.io/rocket"),
        ("https://ACME.github.io", "acme", "acme.github.io"),
    ],
)
def test_a_repository_an_owner_and_a_site_of_github_are_known(url: str, owner: str, name: str) -> None:
    place = place_of(url)
    assert place is not None
    assert (place.owner, place.name) == (owner, name)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example//github.com/acme/rocket",
        "https://evil.example/?to=//github.com/acme/rocket",
        "https://evil.example/#github.com/acme/rocket",
        "https://github.com@evil.example/acme/rocket",
        "https://evil.example\\@github.com/acme/rocket",
        "https://github.com.evil.example/acme/rocket",
        "https://nogithub.com/acme/rocket",
        "https://acme.github.io.evil.example/rocket",
        "https://acme.evil.github.io/rocket",
        "https://github.com/acme/../evil/rocket",
        "https://github.com/acme/%2e%2e/evil/rocket",
        "https://git\nhub.com/acme/rocket",
        "https://github.com/sponsors/acme",
        "https://github.com/orgs/acme/packages",
        "https://github.com/",
        "https://github.io/acme",
        "https://[github.com/acme",
        "mailto:acme@github.com",
        "acme",
        "",
    ],
)
def test_what_leads_elsewhere_or_to_a_page_of_github_itself_is_no_place_of_an_owner(url: str) -> None:
    assert place_of(url) is None
