"""The secrets of deliveries: where they come from, what is refused, and that none is shown."""

from __future__ import annotations

import json
import logging
import os
from typing import TYPE_CHECKING

import httpx
import pytest

from community_metrics import log
from community_metrics.config import Settings, load_settings
from community_metrics.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

URL, KEY = "https://hooks.example.org/services/T0/XXSECRETXX", "key-0123456789abcdef"
SMTP = "smtps://metrics:p%40ss-word@mail.example.org:465"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(("CM_", "AWS_", "CREDENTIALS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def settings_of(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return load_settings()


def shown(settings: Settings) -> dict[str, str]:
    return {name: secret.get_secret_value() for name, secret in settings.delivery_secrets.items()}


def fault_of(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        settings_of(monkeypatch, **variables)
    (fault,) = caught.value.faults
    return fault


def test_a_variable_of_its_own_overrides_the_object_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    every = json.dumps({"CM_DELIVERY_URL_TEAM": "https://example.org/old-one", "CM_DELIVERY_KEY_TEAM": KEY})
    settings = settings_of(monkeypatch, CM_DELIVERY=every, CM_DELIVERY_URL_TEAM=URL, CM_SMTP_URL=SMTP)
    assert shown(settings) == {
        "CM_DELIVERY_URL_TEAM": URL,
        "CM_DELIVERY_KEY_TEAM": KEY,
        "CM_SMTP_URL": SMTP,
    }


def test_a_credential_of_systemd_and_a_secret_of_aws_hold_the_object(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "cm_delivery").write_text(json.dumps({"CM_DELIVERY_URL_TEAM": URL}))
    (folder / "cm_delivery_key_team").write_text(KEY)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    assert shown(load_settings()) == {"CM_DELIVERY_URL_TEAM": URL, "CM_DELIVERY_KEY_TEAM": KEY}
    given = load_settings({"delivery": json.dumps({"CM_SMTP_URL": SMTP})})
    assert shown(given)["CM_SMTP_URL"] == SMTP


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("CM_DELIVERY_ULR_TEAM", URL, "is not a setting"),
        ("CM_DELIVERY_URL_", URL, "is not a setting"),
        ("CM_SMTP_ULR", SMTP, "is not a setting; did you mean CM_SMTP_URL"),
        ("CM_DELIVERY_URL_TEAM", "hooks.example.org/XXSECRETXX", "is not the https:// address of a page"),
        ("CM_DELIVERY_URL_TEAM", "http://example.org/XXSECRETXX", "would send the digest unencrypted"),
        ("CM_DELIVERY_URL_TEAM", "https://example.org:x/XXSECRETXX", "is not an address"),
        ("CM_DELIVERY_URL_TEAM", f"{URL} {URL}", "holds a space, a line break or a letter"),
        ("CM_SMTP_URL", "https://mail.example.org/XXSECRETXX", "is not the address of a mail server"),
        ("CM_SMTP_URL", "smtps://XXSECRETXX@mail.example.org", "has a user without a password"),
        ("CM_SMTP_URL", "smtps://a:XX/SECRETXX@mail.example.org", "percent-encode"),
        ("CM_DELIVERY", f'["{URL}"]', "is not a JSON object of names and texts"),
        ("CM_DELIVERY", f"{{{URL}", "is not a JSON object of names and texts"),
        (
            "CM_DELIVERY",
            f'{{"CM_DELIVERY_ULR_TEAM": "{URL}"}}',
            "has 'CM_DELIVERY_ULR_TEAM', which is no setting",
        ),
        ("CM_DELIVERY", '{"CM_DELIVERY_URL_TEAM": "XXSECRETXX"}', "CM_DELIVERY_URL_TEAM is not the https://"),
    ],
)
def test_what_cannot_be_used_is_refused_without_being_shown(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    fault = fault_of(monkeypatch, **{variable: value})
    assert fault.startswith(f"{variable}: ")
    assert said in fault
    assert "SECRETXX" not in fault
    assert "ss-word" not in fault


def test_no_log_line_of_ours_or_of_a_library_has_an_address_or_a_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_of(
        monkeypatch, CM_DELIVERY=json.dumps({"CM_DELIVERY_URL_TEAM": URL, "CM_SMTP_URL": SMTP})
    )
    log.configure(settings.model_copy(update={"log_level": "DEBUG"}), is_terminal=False)
    for text in (URL, str(httpx.URL(URL).raw_path), SMTP, "p@ss-word", "p%40ss-word"):
        logging.getLogger("httpx").info("request to %s", text)
    printed = capsys.readouterr().err
    assert printed.count("**********") == 5
    assert "SECRET" not in printed
    assert "ss-word" not in printed
    assert "SECRET" not in repr(settings)
