from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from community_metrics.config import DEV_SERVER_ORIGINS, PUBLIC_ORIGINS, Settings, StorageMode, load_settings
from community_metrics.errors import ConfigurationError
from tests.support.origins import KEEP_SECRETS, LEAK_SECRETS, NOT_AS_BROWSERS_SEND

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "sk-very-secret-0123456789"
ENTERPRISE = {
    "CM_STORAGE_MODE": "enterprise",
    "CM_LANCEDB_URI": "db://metrics",
    "CM_LANCEDB_API_KEY": SECRET,
}


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(("CM_", "AWS_", "CREDENTIALS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def settings_of(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return load_settings()


def faults_of(monkeypatch: pytest.MonkeyPatch, **variables: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        settings_of(monkeypatch, **variables)
    return caught.value.faults


def credential(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, value: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(value)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))


def test_an_empty_environment_is_local_mode() -> None:
    settings = load_settings()

    assert settings.storage_mode is StorageMode.LOCAL
    assert settings.storage_location == "data/community_metrics.lancedb"
    assert settings.allowed_origins == DEV_SERVER_ORIGINS
    origins = {host: settings.source_url(host, origin) for host, origin in PUBLIC_ORIGINS.items()}
    assert origins == PUBLIC_ORIGINS


def test_a_variable_overrides_a_credential_and_a_credential_overrides_dotenv(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("CM_GITHUB_TOKEN=dotenv\nCM_CONTACT=dotenv\nCM_LOG_LEVEL=ERROR\n")
    credential(monkeypatch, tmp_path / "credentials", "cm_github_token", "credential\n")
    credential(monkeypatch, tmp_path / "credentials", "cm_contact", "credential\n")

    settings = settings_of(monkeypatch, CM_CONTACT="variable")

    assert settings.contact == "variable"
    assert settings.github_token is not None
    assert settings.github_token.get_secret_value() == "credential"
    assert settings.log_level == "ERROR"


def test_an_empty_value_counts_as_unset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    credential(monkeypatch, tmp_path / "credentials", "cm_github_token", "\n")

    settings = settings_of(monkeypatch, CM_CATALOG="", CM_LANCEDB_API_KEY="")

    assert settings.catalog is None
    assert settings.lancedb_api_key is None
    assert settings.github_token is None


def test_an_empty_credential_is_not_a_key_for_enterprise_mode(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    credential(monkeypatch, tmp_path / "credentials", "cm_lancedb_api_key", "")

    faults = faults_of(monkeypatch, CM_STORAGE_MODE="enterprise", CM_LANCEDB_URI="db://metrics")

    assert [fault.split(":")[0] for fault in faults] == ["CM_LANCEDB_API_KEY"]


def test_every_fault_is_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    faults = faults_of(
        monkeypatch,
        CM_STORAGE_MODE="enterprise",
        CM_LANCEDB_HOST_OVERRIDE="lance.example.org",
        CM_CORS_ORIGINS="*",
        CM_API_TOKEN_HASHES="abc",
        CM_CONTACT="\t",
        CM_DEPLOYMENT_STAGE="Prod",
        CM_LOG_LEVEL="LOUD",
        CM_API_CHECK_INTERVAL_S="0",
        CM_SOURCE_URL_NPM="https://proxy.example.org/npm",
    )

    assert {fault.split(":")[0] for fault in faults} == {
        "CM_LANCEDB_URI",
        "CM_LANCEDB_API_KEY",
        "CM_LANCEDB_HOST_OVERRIDE",
        "CM_CORS_ORIGINS",
        "CM_API_TOKEN_HASHES",
        "CM_CONTACT",
        "CM_DEPLOYMENT_STAGE",
        "CM_LOG_LEVEL",
        "CM_API_CHECK_INTERVAL_S",
        "CM_SOURCE_URL_NPM",
    }


@pytest.mark.parametrize("name", ["CM_API_TOKEN_HASHES", "CM_CORS_ORIGINS"])
def test_a_list_without_entries_is_a_fault(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (fault,) = faults_of(monkeypatch, **{name: " , "})

    assert fault == f"{name}: has only commas and blanks. Fix: list the entries, or leave it unset"


def test_several_bad_entries_of_a_list_are_reported_once_for_each_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    origins = faults_of(monkeypatch, CM_CORS_ORIGINS="https://a.example.org/x,*", CM_API_TOKEN_HASHES="a,b")

    assert [fault.split(":")[0] for fault in origins] == [
        "CM_CORS_ORIGINS",
        "CM_CORS_ORIGINS",
        "CM_API_TOKEN_HASHES",
    ]


@pytest.mark.parametrize(
    ("environment", "is_public"),
    [
        ({}, True),
        ({"CM_API_TOKEN_HASHES": "a1" * 32}, False),
        ({"CM_API_TOKEN_HASHES": "a1" * 32, "CM_PUBLIC_READ": "true"}, True),
        ({"CM_API_TOKEN_HASHES": "a1" * 32, "CM_PUBLIC_READ": "false"}, False),
        ({"CM_PUBLIC_READ": "true"}, True),
    ],
)
def test_public_reading_is_the_default_only_without_tokens(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], *, is_public: bool
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert load_settings().is_public is is_public


def test_an_api_that_nobody_could_read_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    (fault,) = faults_of(monkeypatch, CM_PUBLIC_READ="false")

    assert fault.startswith("CM_PUBLIC_READ: is false, but CM_API_TOKEN_HASHES is empty")


@pytest.mark.parametrize("uri", ["metrics", "db://", "https://metrics"])
def test_enterprise_mode_needs_a_database_uri(monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    (fault,) = faults_of(monkeypatch, **{**ENTERPRISE, "CM_LANCEDB_URI": uri})

    assert fault == f"CM_LANCEDB_URI: is {uri!r}; enterprise mode needs db://<database name>"


def test_a_cluster_that_local_mode_does_not_use_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    uri, key = faults_of(monkeypatch, CM_LANCEDB_URI="db://metrics", CM_LANCEDB_API_KEY=SECRET)

    assert uri.startswith("CM_LANCEDB_URI: is set, but CM_STORAGE_MODE is local")
    assert key.startswith("CM_LANCEDB_API_KEY: is set, but CM_STORAGE_MODE is local")
    assert all("Fix: set CM_STORAGE_MODE=enterprise, or unset it" in fault for fault in (uri, key))
    assert SECRET not in key


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("db://metrics", "Fix: set CM_LANCEDB_URI to it, with CM_STORAGE_MODE=enterprise"),
        ("gs://bucket/x", "takes a folder or s3://bucket/prefix"),
        ("S3://bucket/x", "in lower case"),
        ("s3://", "has no bucket"),
        ("s3:///prefix", "has no bucket"),
    ],
)
def test_a_location_that_local_mode_cannot_write_to_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, path: str, message: str
) -> None:
    (fault,) = faults_of(monkeypatch, CM_DB_PATH=path)

    assert fault.startswith(f"CM_DB_PATH: is {path!r}")
    assert message in fault


@pytest.mark.parametrize("path", ["data/x.lancedb", "/var/lib/x", "s3://bucket", "s3://bucket/prefix"])
def test_a_folder_or_a_bucket_is_a_location(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    assert settings_of(monkeypatch, CM_DB_PATH=path).storage_location == path


def test_no_secret_is_in_a_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(monkeypatch, **ENTERPRISE, CM_GITHUB_TOKEN=SECRET, AWS_SECRET_ACCESS_KEY=SECRET)

    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.storage_location}"

    assert SECRET not in shown
    assert settings.lancedb_api_key is not None
    assert settings.lancedb_api_key.get_secret_value() == SECRET


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CM_LANCEDB_HOST_OVERRIDE", f"https://user:{SECRET}@lance.example.org"),
        ("CM_SOURCE_URL_GITHUB", f"https://{SECRET}@proxy.example.org"),
        ("CM_CORS_ORIGINS", f"https://{SECRET}@page.example.org"),
        ("CM_API_TOKEN_HASHES", SECRET),
    ],
)
def test_no_secret_is_in_a_message(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings_of(monkeypatch, **ENTERPRISE, CM_GITHUB_TOKEN=SECRET, **{name: value})

    assert name in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org",
        "https://",
        "https://example.org/",
        "https://example.org/path",
        "https://example.org?",
        "https://example.org:port",
        "https://example.org:99999",
        "https://[::1",
        "example.org",
    ],
)
def test_an_origin_is_scheme_host_and_port(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    (fault,) = faults_of(monkeypatch, CM_SOURCE_URL_CRATES=url)

    assert fault.startswith(f"CM_SOURCE_URL_CRATES: {url!r} is not an origin")


@pytest.mark.parametrize(
    ("origin", "sent"),
    [
        ("https://Metrics.Example.org", "https://metrics.example.org"),
        ("https://b.example.org:443", "https://b.example.org"),
        ("http://localhost:80", "http://localhost"),
        ("HTTPS://example.org", "https://example.org"),
        *NOT_AS_BROWSERS_SEND.items(),
    ],
)
def test_the_error_for_an_origin_that_no_browser_sends_includes_the_right_spelling(
    monkeypatch: pytest.MonkeyPatch, origin: str, sent: str
) -> None:
    (fault,) = faults_of(monkeypatch, CM_CORS_ORIGINS=f"https://a.example.org,{origin}")

    assert fault.startswith(f"CM_CORS_ORIGINS: {origin!r} is not")
    assert fault.endswith(f"write {sent}")


def test_the_enterprise_endpoint_may_include_a_default_port(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "https://Cluster.example.org:443"
    assert settings_of(monkeypatch, CM_LANCEDB_HOST_OVERRIDE=url).lancedb_host_override == url


@pytest.mark.parametrize(
    "origin", ["http://localhost:443", "https://example.org:80", "https://example.org:8443"]
)
def test_an_origin_may_have_a_port_that_its_scheme_does_not_imply(
    monkeypatch: pytest.MonkeyPatch, origin: str
) -> None:
    assert settings_of(monkeypatch, CM_CORS_ORIGINS=origin).cors_origins == (origin,)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "https://[::1]:8443", "https://proxy.example.org"])
def test_an_origin_replaces_that_of_a_registry(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    assert settings_of(monkeypatch, CM_SOURCE_URL_CRATES=url).source_url("crates", "https://x") == url


def test_the_enterprise_endpoint_may_end_in_a_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(monkeypatch, **ENTERPRISE, CM_LANCEDB_HOST_OVERRIDE="https://lance.internal/")

    assert settings.storage_location == "db://metrics at https://lance.internal"


@pytest.mark.parametrize("url", KEEP_SECRETS)
def test_the_enterprise_endpoint_is_https_or_this_machine(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    settings = settings_of(monkeypatch, **ENTERPRISE, CM_LANCEDB_HOST_OVERRIDE=url)
    assert settings.lancedb_host_override == url


@pytest.mark.parametrize("url", LEAK_SECRETS)
def test_an_enterprise_endpoint_that_would_send_the_key_unencrypted_is_an_error(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    (fault,) = faults_of(monkeypatch, **ENTERPRISE, CM_LANCEDB_HOST_OVERRIDE=url)

    assert fault.startswith(
        f"CM_LANCEDB_HOST_OVERRIDE: {url!r} would send the key unencrypted. Fix: write https://."
    )


def test_lists_are_comma_separated(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(monkeypatch, CM_CORS_ORIGINS="https://a.example.org, https://b.example.org,")

    assert settings.allowed_origins == ("https://a.example.org", "https://b.example.org")


def test_enterprise_mode_has_no_default_origins(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings_of(monkeypatch, **ENTERPRISE).allowed_origins == ()


def test_a_bucket_is_local_mode_with_the_standard_aws_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(
        monkeypatch,
        CM_DB_PATH="s3://bucket/prefix",
        AWS_REGION="eu-central-1",
        AWS_DEFAULT_REGION="us-east-1",
        AWS_ENDPOINT_URL="http://127.0.0.1:5000",
    )

    assert settings.is_s3
    assert settings.aws_storage_options == {
        "aws_region": "eu-central-1",
        "aws_endpoint": "http://127.0.0.1:5000",
        "allow_http": "true",
    }


def test_the_storage_options_come_from_aws_variables_only(monkeypatch: pytest.MonkeyPatch) -> None:
    (fault,) = faults_of(monkeypatch, CM_AWS_STORAGE_OPTIONS="not json")

    assert fault.startswith("CM_AWS_STORAGE_OPTIONS: is not a setting")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CM_DBPATH", "CM_DB_PATH"),
        ("CM_STORAGE", "CM_STORAGE_MODE"),
        ("CM_GITHUBTOKEN", "CM_GITHUB_TOKEN"),
        ("CM_CORS_ORIGIN", "CM_CORS_ORIGINS"),
        ("CM_SOURCE_URL_NMP", "CM_SOURCE_URL_NPM"),
        ("CM_SOURCE_URL_GITHUB_HISTORY", "CM_SOURCE_URL_GITHUB"),
        ("cm_catalogue", "CM_CATALOG"),
    ],
)
@pytest.mark.parametrize("place", ["environment", ".env"])
def test_a_misspelt_variable_is_refused_with_the_nearest_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, meant: str, place: str
) -> None:
    if place == ".env":
        (tmp_path / ".env").write_text(f"{name}=x\n")
        (fault,) = faults_of(monkeypatch)
    else:
        (fault,) = faults_of(monkeypatch, **{name: "x"})

    assert fault.startswith(f"{name.upper()}: is not a setting; did you mean {meant}")


def test_a_misspelt_variable_is_reported_together_with_invalid_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    faults = faults_of(monkeypatch, CM_LOG_LEVEL="LOUD", CM_DBPATH="x", CM_CATALOGUE="")

    assert [fault.split(":")[0] for fault in faults] == ["CM_LOG_LEVEL", "CM_DBPATH"]


def test_variables_of_a_lambda_function_and_of_the_hosts_own_programs_are_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = settings_of(
        monkeypatch, CM_LANCEDB_API_KEY_SECRET="name", CM_ACME_DIRECTORY="https://acme.example.org", CMX="1"
    )

    assert settings.lancedb_api_key is None


def test_a_missing_credentials_folder_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"CREDENTIALS_DIRECTORY is .* not a folder"):
        settings_of(monkeypatch, CREDENTIALS_DIRECTORY=str(tmp_path / "gone"))


def test_an_unreadable_dotenv_is_one_error(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"CM_CONTACT=caf\xe9\n")

    with pytest.raises(ConfigurationError, match=r"Fix: correct or remove \.env"):
        load_settings()


def test_settings_do_not_change_under_a_running_process() -> None:
    settings = load_settings()

    with pytest.raises(ValueError, match="frozen"):
        settings.db_path = "elsewhere"  # type: ignore[misc]  # the promise is that this fails


@pytest.mark.parametrize("token", ["ghp_a b", "ghp_a\nx-evil: 1", "ghp_ä"])
def test_a_token_that_no_header_can_hold_is_rejected_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    (fault,) = faults_of(monkeypatch, CM_GITHUB_TOKEN=token)
    assert fault.startswith("CM_GITHUB_TOKEN: holds a space, a line break or a letter that no key has")
    assert token not in fault
