from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from community_metrics.config import Settings
from infra.settings import SettingsError, Target, load_settings, load_target, parse_settings
from tests.infra.flavours import CATALOG, FLAVOURS, FULLEST, IN_A_VPC, PRIVATELINK, SERVERLESS, SMALLEST
from tests.support.origins import AS_BROWSERS_SEND, NO_ORIGINS, NOT_AS_BROWSERS_SEND

if TYPE_CHECKING:
    from collections.abc import Callable

VPC, SUBNET = IN_A_VPC["vpc_id"], IN_A_VPC["public_subnet_id"]


@pytest.mark.parametrize("content", FLAVOURS.values(), ids=FLAVOURS)
def test_a_valid_file_is_accepted(content: dict[str, Any]) -> None:
    settings = parse_settings(content, origin="deployment.toml")

    assert settings.api_host == "metrics-api.example.org"


def test_the_example_file_is_valid(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "deployment.example.toml"
    copy = tmp_path / "deployment.toml"
    copy.write_text(example.read_text(encoding="utf-8"), encoding="utf-8")

    assert load_settings(copy).storage == "enterprise"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"domian": "example.org"}, "domian is not a setting; known settings are alarm_email"),
        ({"stage": "Staging"}, "stage is 'Staging'; expected a value such as staging: at most 12"),
        ({"stage": "pre-prod"}, "stage is 'pre-prod'; expected a value such as staging"),
        ({"stage": "thirteenlettr"}, "stage is 'thirteenlettr'; expected a value such as staging"),
        ({"region": "europe"}, "region is 'europe'; expected a value such as eu-central-1"),
        ({"ssh_cidrs": ["300.0.0.0/8"]}, "ssh_cidrs: '300.0.0.0/8' is not a network"),
        ({"ssh_cidrs": ["203.0.113.7/24"]}, "ssh_cidrs: '203.0.113.7/24' is not a network"),
        ({"ssh_cidrs": ["0.0.0.0/0"]}, "0.0.0.0/0 would open SSH to too many addresses"),
        ({"ssh_cidrs": ["::/0"]}, "::/0 would open SSH to too many addresses"),
        ({"ssh_cidrs": ["203.0.113.0/24"], "key_pair": None}, "nobody can use it without key_pair; set it"),
        ({"dashboard_origins": ["*"]}, "'*' would allow every website to read the API"),
        ({"dashboard_origins": ["https://*.example.org"]}, "would allow every website to read the API"),
        (
            {"dashboard_origins": ["http://example.org"]},
            "'http://example.org' is not an origin such as https",
        ),
        ({"dashboard_origins": ["https://example.org/"]}, "is not an origin such as https"),
        ({"dashboard_origins": ["https://user:pw@example.org"]}, "an origin must not contain a user"),
        ({"dashboard_origins": ["https://example.org:99999"]}, "is not an origin such as https"),
        ({"dashboard_origins": ["https://a b.org"]}, "is not an origin such as https"),
        ({"dashboard_origins": ["https://Example.org"]}, "is not an origin such as https"),
        ({"dashboard_origins": ["https://example.org:443"]}, "is not an origin such as https"),
        ({"dashboard_origins": ["https://a.org,https://b.org"]}, "is not an origin such as https"),
        ({"dashboard_origins": []}, "dashboard_origins"),
        ({"region": "cn-north-1"}, "cn-north-1 is in another AWS partition"),
        ({"region": "us-gov-west-1"}, "use a region such as eu-central-1"),
        ({"ssh_cidrs": [5]}, "ssh_cidrs: 5 is not a network such as 203.0.113.0/24"),
        ({"domain": "example.com"}, "'example.com', which is outside the hosted zone 'example.org'"),
        ({"domain": "badexample.org"}, "outside the hosted zone"),
        ({"hosted_zone_id": None}, "hosted_zone_id and hosted_zone_name go together"),
        ({"storage": "dynamodb"}, "storage: Input should be 'enterprise' or 's3'"),
        ({"alarm_email": "nobody"}, "alarm_email is 'nobody'; expected a value such as ops@example.org"),
        ({"contact": "nobody"}, "contact is 'nobody'; expected a value such as ops@example.org or https://"),
        ({"contact": 'a "b"@example.org'}, "contact is 'a \"b\"@example.org'; expected a value such as ops@"),
        ({"host_image": None}, "host_image is not set; the host needs the id of a Debian 13 image"),
        ({"host_image": "latest"}, "host_image is 'latest'; expected a value such as ami-"),
        ({"lancedb_port": 0}, "lancedb_port: Input should be greater than or equal to 1"),
        ({"github_repository": "metrics"}, "github_repository is 'metrics'; expected a value such as owner"),
        ({"github_repository": "acme/*"}, "github_repository is 'acme/*'; expected a value such as owner"),
        ({"github_repository": "acme@12/metrics"}, "or owner@1234/name@5678 with the ids of GitHub"),
        ({"github_environment": "*"}, "github_environment is '*'; expected a value such as production"),
        ({"github_oidc_provider": "import"}, "github_oidc_provider: Input should be 'create' or 'existing'"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_an_error_is_reported_with_its_fix(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as error:
        parse_settings({**FULLEST, **change}, origin="deployment.toml")

    assert message in str(error.value)
    assert str(error.value).count("\n") == 1


@pytest.mark.parametrize("key", SMALLEST)
def test_a_missing_setting_is_named(key: str) -> None:
    content = {name: value for name, value in SMALLEST.items() if name != key}

    with pytest.raises(SettingsError, match=f"{key} is not set"):
        parse_settings(content, origin="deployment.toml")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lambda_image": "latest"}, "lambda_image is 'latest'; expected a value such as sha256:"),
        ({"hosted_zone_id": None, "hosted_zone_name": None}, "serverless = true needs hosted_zone_id"),
        ({"ipv6": True}, "ipv6 = true is for the host"),
    ],
    ids=str,
)
def test_serverless_reports_what_it_needs(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        parse_settings({**SERVERLESS, **change}, origin="deployment.toml")


def test_one_message_lists_every_error() -> None:
    content = {**FULLEST, "region": "here", "storage": "disk", "alarm_email": "x", "ssh_cidrs": ["0.0.0.0/0"]}

    with pytest.raises(SettingsError) as error:
        parse_settings(content, origin="deployment.toml")

    lines = str(error.value).splitlines()
    assert lines[0] == "deployment.toml is invalid; nothing was synthesised:"
    assert [line.split()[1] for line in lines[1:]] == ["region", "alarm_email", "storage:", "ssh_cidrs:"]


def test_inconsistent_settings_are_reported_together_with_invalid_ones() -> None:
    content = {**FULLEST, "alarm_email": "x", "domain": "example.com", "key_pair": None, "host_image": None}

    with pytest.raises(SettingsError) as error:
        parse_settings(content, origin="deployment.toml")

    keys = {line.split()[1] for line in str(error.value).splitlines()[1:]}
    assert keys == {"alarm_email", "domain", "ssh_cidrs", "host_image"}


def test_an_invalid_setting_is_reported_once() -> None:
    content = {**SERVERLESS, "serverless": "yes", "hosted_zone_id": "z", "host_image": 5, "domain": "X"}

    with pytest.raises(SettingsError) as error:
        parse_settings(content, origin="deployment.toml")

    keys = [line.split()[1].removesuffix(":") for line in str(error.value).splitlines()[1:]]
    assert sorted(keys) == ["domain", "host_image", "hosted_zone_id", "serverless"]


def deployment_accepts(origin: str) -> bool:
    try:
        parse_settings({**SMALLEST, "dashboard_origins": [origin]}, origin="deployment.toml")
    except SettingsError as error:
        assert "dashboard_origins" in str(error)  # noqa: PT017  the other settings are valid
        return False
    return True


def runtime_accepts(origin: str) -> bool:
    try:
        return Settings.model_validate({"cors_origins": (origin,)}).cors_origins == (origin,)
    except ValidationError:
        return False


@pytest.mark.parametrize("origin", AS_BROWSERS_SEND)
def test_an_origin_that_browsers_send_is_accepted(origin: str) -> None:
    assert (deployment_accepts(origin), runtime_accepts(origin)) == (True, True)


@pytest.mark.parametrize("origin", [*NOT_AS_BROWSERS_SEND, *NO_ORIGINS])
def test_an_origin_that_no_browser_sends_is_rejected(origin: str) -> None:
    assert (deployment_accepts(origin), runtime_accepts(origin)) == (False, False)


@pytest.mark.parametrize(("origin", "sent"), NOT_AS_BROWSERS_SEND.items())
def test_the_error_includes_what_browsers_send_instead(origin: str, sent: str) -> None:
    with pytest.raises(SettingsError) as error:
        parse_settings({**SMALLEST, "dashboard_origins": [origin]}, origin="deployment.toml")
    assert str(error.value).endswith(f"; write {sent}")


@given(
    host=st.from_regex(r"[a-z0-9.,:@\[\]A-Z %_;ü-]{1,20}", fullmatch=True),
    port=st.none() | st.integers(min_value=-1, max_value=70_000),
)
@example(host="metrics.example.org", port=8443)
def test_a_deployment_accepts_the_same_origins_as_the_runtime(host: str, port: int | None) -> None:
    origin = f"https://{host}" + ("" if port is None else f":{port}")
    assert deployment_accepts(origin) == runtime_accepts(origin)


def test_the_region_can_be_read_without_an_image(tmp_path: Path) -> None:
    path = tmp_path / "deployment.toml"
    path.write_text('region = "eu-central-1"\nserverless = true\n', encoding="utf-8")
    assert load_target(path) == Target("eu-central-1")

    path.write_text('stage = "staging"\nregion = "eu-central-1"\n', encoding="utf-8")
    assert load_target(path) == Target("eu-central-1", "staging")


@pytest.mark.parametrize(
    "content",
    ['region = "here"', "serverless = true", "region = 5", 'region = "eu-central-1"\nstage = "region-1"'],
)
def test_an_invalid_target_of_the_image_is_rejected(tmp_path: Path, content: str) -> None:
    path = tmp_path / "deployment.toml"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(SettingsError, match=r"region|stage") as error:
        load_target(path)
    assert str(error.value).count("\n") == 1


def deployment_with(folder: Path, catalog: str) -> Path:
    """Write a deployment file and the catalogue that it names, beside it."""
    example = (Path(__file__).parents[2] / "deployment.example.toml").read_text(encoding="utf-8")
    path = folder / "deployment.toml"
    path.write_text('catalog = "my-catalog.toml"\n' + example, encoding="utf-8")
    (folder / "my-catalog.toml").write_text(catalog, encoding="utf-8")
    return path


def test_the_catalogue_is_relative_to_the_deployment_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CM_STORAGE_MODE", "nonsense")  # the settings of this shell are not the deployment's
    path = deployment_with(tmp_path, CATALOG)

    assert load_settings(path).catalog == tmp_path / "my-catalog.toml"
    assert load_target(path).catalog == tmp_path / "my-catalog.toml"


@pytest.mark.parametrize("load", [load_settings, load_target])
def test_the_faults_of_the_catalogue_are_those_of_the_product(
    tmp_path: Path, load: Callable[[Path], object]
) -> None:
    faulty = CATALOG.replace('"pypistats"', '"pypi"').replace('"1d"', '"2d"')
    path = deployment_with(tmp_path, faulty)

    with pytest.raises(SettingsError) as error:
        load(path)

    assert str(error.value).startswith(f"{path} is invalid; nothing was synthesised:")
    assert "line 6, metric downloads:httpx:python, source" in str(error.value)
    assert "line 9, metric downloads:httpx:python, window" in str(error.value)


def test_a_missing_catalogue_is_reported_with_the_other_errors(tmp_path: Path) -> None:
    path = deployment_with(tmp_path, CATALOG)
    path.write_text(path.read_text(encoding="utf-8").replace("t4g.small", "big"), encoding="utf-8")
    (tmp_path / "my-catalog.toml").unlink()

    with pytest.raises(SettingsError) as error:
        load_settings(path)

    assert [line.split()[1] for line in str(error.value).splitlines()[1:]] == ["instance_type", "catalog"]
    assert "my-catalog.toml', which is not a file" in str(error.value)


def test_a_missing_file_is_reported_with_the_file_to_copy(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cp deployment\.example\.toml deployment\.toml"):
        load_settings(tmp_path / "deployment.toml")


@pytest.mark.parametrize("content", [b"region = ", b"\xff\xfe", b"a = 1\na = 2"])
def test_an_unreadable_file_is_reported_in_one_message(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "deployment.toml"
    path.write_bytes(content)

    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"availability_zone": "b"}, "availability_zone is 'b'; expected a value such as eu-central-1b"),
        ({"availability_zone": "eu-central-1b"}, "'eu-central-1b', which is not in the region 'us-east-1'"),
        ({"availability_zone": "us-east-1-bos-1a"}, "availability_zone is 'us-east-1-bos-1a'; expected"),
        (
            {"vpc_id": "vpc-1", "public_subnet_id": SUBNET},
            "vpc_id is 'vpc-1'; expected a value such as vpc-0",
        ),
        ({"vpc_id": VPC}, "vpc_id needs public_subnet_id for the host"),
        ({"public_subnet_id": SUBNET}, "public_subnet_id is a subnet of vpc_id; set it too"),
        ({"private_subnet_ids": [SUBNET]}, "private_subnet_ids is a subnet of vpc_id; set it too"),
        (
            {"private_subnet_ids": ["x"], "vpc_id": VPC, "public_subnet_id": SUBNET},
            "private_subnet_ids is 'x'",
        ),
        ({**IN_A_VPC, "availability_zone": "us-east-1a"}, "availability_zone is that of the subnet"),
        ({**IN_A_VPC, "ipv6": True}, "ipv6 = true needs a network of the deployment's own"),
        ({**PRIVATELINK, "privatelink_domain": None}, "privatelink_domain go together; set both"),
        ({**PRIVATELINK, "privatelink_service": None}, "privatelink_domain go together; set both"),
        (
            {**PRIVATELINK, "privatelink_service": "com.amazonaws.us-east-1.s3"},
            "expected a value such as com.am",
        ),
        ({**PRIVATELINK, "region": "eu-west-1"}, "which is not in the region 'eu-west-1'"),
        ({**PRIVATELINK, **IN_A_VPC}, "with vpc_id, create the endpoint in your VPC"),
        ({**PRIVATELINK, "storage": "s3"}, "privatelink_service leads to a LanceDB cluster"),
        ({"host_generation": "a b"}, "host_generation is 'a b'; expected a value such as 2026-11-28"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_contradictions_of_the_network_are_reported(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as error:
        parse_settings({**SMALLEST, **change}, origin="deployment.toml")

    assert message in str(error.value)
    assert str(error.value).count("\n") == 1


def test_functions_in_a_vpc_need_subnets_with_a_nat_gateway() -> None:
    with pytest.raises(SettingsError, match="subnets with a route to a NAT gateway"):
        parse_settings({**SERVERLESS, "vpc_id": VPC}, origin="deployment.toml")


@pytest.mark.parametrize("serverless", [False, True])
def test_one_file_with_both_kinds_of_subnets_is_for_the_host_and_for_functions(*, serverless: bool) -> None:
    content = {**SERVERLESS, **IN_A_VPC, "host_image": SMALLEST["host_image"], "serverless": serverless}

    assert parse_settings(content, origin="deployment.toml").serverless is serverless


def test_the_image_of_the_command_line_replaces_that_of_the_file(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "deployment.example.toml"
    path = tmp_path / "deployment.toml"
    path.write_text(example.read_text(encoding="utf-8").replace("serverless = false", "serverless = true"))

    assert load_settings(path).awaits_image
    assert load_settings(path, "sha256:" + "ab" * 32).lambda_image == "sha256:" + "ab" * 32
    with pytest.raises(SettingsError, match="lambda_image is 'latest'; expected a value such as sha256:"):
        load_settings(path, "latest")
