"""Entries of `[[delivery]]` in a catalogue file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from community_metrics.catalog.catalog import parse_catalog
from community_metrics.errors import CatalogError
from community_metrics.model import MailService, TargetKind, Visibility, WebhookFormat
from community_metrics.periods import Grain

HEAD = '[[product]]\nid = "lance"\nname = "Lance"\n'
MAIL = {"to": "email", "sender": "a@example.org", "receivers": ["b@example.org"], "via": "smtp"}


def delivery(**fields: Any) -> str:
    given = {"id": "team", "to": "slack", **fields}
    lines = [f"{name} = {json.dumps(value)}" for name, value in given.items() if value is not None]
    return "\n".join(["[[delivery]]", *lines, ""])


def faults(*entries: str) -> list[str]:
    with pytest.raises(CatalogError) as caught:
        parse_catalog((HEAD + "".join(entries)).encode(), Path("catalog.toml"))
    return caught.value.faults


def test_a_target_has_weeks_of_all_products_for_everybody_unless_it_says_otherwise() -> None:
    text = HEAD + delivery() + delivery(id="board", **MAIL, digests=["month", "quarter"], products=["lance"])
    text += delivery(id="wiki", to="webhook", format="markdown", visibility="team")
    team, board, wiki = parse_catalog(text.encode(), Path("catalog.toml")).deliveries
    assert (team.to, team.grains, team.products, team.visibility) == (
        TargetKind.SLACK,
        (Grain.WEEK,),
        None,
        Visibility.PUBLIC,
    )
    assert (board.grains, board.products, board.via) == (
        (Grain.MONTH, Grain.QUARTER),
        ("lance",),
        MailService.SMTP,
    )
    assert (wiki.form, wiki.visibility) == (WebhookFormat.MARKDOWN, Visibility.TEAM)


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"id": None}, "line 4, delivery number 1, id: is missing"),
        ({"id": "my_team"}, "line 5, delivery my_team, id: 'my_team' must be lower-case letters and digits"),
        ({"to": "teams"}, "line 6, delivery team, to: 'teams' is not one of slack, email, webhook"),
        ({"digests": ["day"]}, "line 7, delivery team, digests: 'day' is not one of week, month, quarter"),
        ({"digests": []}, "digests: is an empty list. Fix: write at least one, or remove the field"),
        ({"digests": ["week", "week"]}, "digests: names one twice. Fix: remove one of the two"),
        ({"digests": "week"}, "digests: must be a list, such as"),
        ({"products": ["lanse"]}, "products: there is no [[product]] 'lanse'; did you mean lance"),
        ({"products": []}, "products: is an empty list"),
        ({"url": "https://example.org"}, "url: is not a field of [[delivery]]"),
        ({"format": "json"}, 'format: is for to = "webhook", but this is to = "slack". Fix: remove it'),
        ({"via": "ses"}, 'via: is for to = "email", but this is to = "slack"'),
        ({"to": "webhook", "format": "html"}, "format: 'html' is not one of json, slack, markdown"),
        ({**MAIL, "sender": None}, 'sender: is missing. Fix: write sender = "metrics@example.org"'),
        ({**MAIL, "receivers": []}, "receivers: is missing. Fix: write receivers = "),
        (
            {**MAIL, "via": "ses", "receivers": [f"a{number}@b.example" for number in range(51)]},
            "receivers: has 51, and SES takes 50 for one message. Fix: write the address of a mailing list",
        ),
        ({**MAIL, "receivers": ["a b@c.d"]}, "receivers: 'a b@c.d' is not an e-mail address"),
        ({**MAIL, "sender": "a@b.c\nBcc: x@y.z"}, "is not an e-mail address"),
        ({**MAIL, "via": "mail"}, "via: 'mail' is not one of ses, smtp"),
    ],
)
def test_each_fault_names_its_line_and_its_fix(fields: dict[str, Any], fault: str) -> None:
    (found,) = faults(delivery(**fields))
    assert fault in found


def test_two_targets_of_one_id_would_share_their_settings() -> None:
    (found,) = faults(delivery(), delivery(to="webhook"))
    assert found == "line 8, delivery team, id: 'team' is already used in line 4. Fix: write another id"
