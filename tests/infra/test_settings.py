from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra.settings import SettingsError, load_settings, parse_settings
from tests.infra.flavours import FLAVOURS, FULLEST, SERVERLESS, SMALLEST


@pytest.mark.parametrize("content", FLAVOURS.values(), ids=FLAVOURS)
def test_a_sound_file_is_taken(content: dict[str, Any]) -> None:
    settings = parse_settings(content, origin="deployment.toml")

    assert settings.api_host == "metrics-api.example.org"


def test_the_example_file_is_sound(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "deployment.example.toml"
    copy = tmp_path / "deployment.toml"
    copy.write_text(example.read_text(encoding="utf-8"), encoding="utf-8")

    assert load_settings(copy).storage == "enterprise"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"domian": "example.org"}, "domian is not a setting; the settings are alarm_email"),
        ({"region": "europe"}, "region is 'europe', but should look like eu-central-1"),
        ({"ssh_cidrs": ["300.0.0.0/8"]}, "ssh_cidrs: '300.0.0.0/8' is no network"),
        ({"ssh_cidrs": ["203.0.113.7/24"]}, "ssh_cidrs: '203.0.113.7/24' is no network"),
        ({"ssh_cidrs": ["0.0.0.0/0"]}, "0.0.0.0/0 would let half the internet try to log in"),
        ({"ssh_cidrs": ["::/0"]}, "::/0 would let half the internet try to log in"),
        ({"ssh_cidrs": ["203.0.113.0/24"], "key_pair": None}, "key_pair is not set, so nobody could log in"),
        ({"dashboard_origins": ["*"]}, "'*' would let any page read the API"),
        ({"dashboard_origins": ["https://*.example.org"]}, "would let any page read the API"),
        (
            {"dashboard_origins": ["http://example.org"]},
            "'http://example.org' is not an origin such as https",
        ),
        ({"dashboard_origins": ["https://example.org/"]}, "is not an origin such as https"),
        ({"dashboard_origins": []}, "dashboard_origins"),
        ({"domain": "example.com"}, "'example.com', which is outside the hosted zone 'example.org'"),
        ({"domain": "badexample.org"}, "outside the hosted zone"),
        ({"hosted_zone_id": None}, "hosted_zone_id and hosted_zone_name belong together"),
        ({"storage": "dynamodb"}, "storage: Input should be 'enterprise' or 's3'"),
        ({"alarm_email": "nobody"}, "alarm_email is 'nobody', but should look like ops@example.org"),
        ({"host_image": None}, "host_image is not set; the host needs the id of a Debian 13 image"),
        ({"host_image": "latest"}, "host_image is 'latest', but should look like ami-"),
        ({"lancedb_port": 0}, "lancedb_port: Input should be greater than or equal to 1"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_fault_is_named_with_its_mend(change: dict[str, Any], fault: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse_settings({**FULLEST, **change}, origin="deployment.toml")

    assert fault in str(refused.value)
    assert str(refused.value).count("\n") == 1


@pytest.mark.parametrize("key", SMALLEST)
def test_a_missing_setting_is_named(key: str) -> None:
    content = {name: value for name, value in SMALLEST.items() if name != key}

    with pytest.raises(SettingsError, match=f"{key} is not set"):
        parse_settings(content, origin="deployment.toml")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"lambda_image": None}, "lambda_image is not set"),
        ({"lambda_image": "latest"}, "lambda_image is 'latest', but should look like sha256:"),
        ({"hosted_zone_id": None, "hosted_zone_name": None}, "serverless = true needs hosted_zone_id"),
        ({"ipv6": True}, "ipv6 = true is for the host"),
    ],
    ids=str,
)
def test_serverless_says_what_it_needs(change: dict[str, Any], fault: str) -> None:
    with pytest.raises(SettingsError, match=fault):
        parse_settings({**SERVERLESS, **change}, origin="deployment.toml")


def test_every_fault_stands_in_one_message() -> None:
    content = {**FULLEST, "region": "here", "storage": "disk", "alarm_email": "x", "ssh_cidrs": ["0.0.0.0/0"]}

    with pytest.raises(SettingsError) as refused:
        parse_settings(content, origin="deployment.toml")

    lines = str(refused.value).splitlines()
    assert lines[0] == "deployment.toml cannot be used, nothing was synthesised:"
    assert [line.split()[1] for line in lines[1:]] == ["region", "alarm_email", "storage:", "ssh_cidrs:"]


def test_a_missing_file_says_what_to_copy(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"Copy deployment\.example\.toml to deployment\.toml"):
        load_settings(tmp_path / "deployment.toml")


@pytest.mark.parametrize("content", [b"region = ", b"\xff\xfe", b"a = 1\na = 2"])
def test_an_unreadable_file_is_one_message(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "deployment.toml"
    path.write_bytes(content)

    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(path)
