"""The same API and jobs under the real `awslambdaric`, with secrets from moto's server."""

from __future__ import annotations

import base64
import io
import json
from typing import TYPE_CHECKING, Any

import boto3
import pyarrow.parquet
import pytest

from community_metrics.api.middleware.tokens import new_token, token_hash
from community_metrics.aws.lambda_jobs import job_of
from community_metrics.errors import ConfigurationError
from tests.support import lambda_runtime
from tests.support.api import PYTHON, enterprise_place
from tests.support.aws import empty_aws
from tests.support.enterprise import READ_KEY, WRITE_KEY
from tests.support.lambda_runtime import function_url_event, http_event
from tests.support.replay import HOSTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.api import Place
    from tests.support.enterprise import Enterprise
    from tests.support.lambda_runtime import Function

API = "community_metrics.aws.lambda_api.handler"
JOBS = "community_metrics.aws.lambda_jobs.handler"


@pytest.fixture
def secrets_manager() -> Iterator[tuple[str, Any]]:
    """Secrets Manager's address, and a client for it."""
    with empty_aws() as port:
        url = f"http://127.0.0.1:{port}"
        yield (
            url,
            boto3.client(
                "secretsmanager",
                endpoint_url=url,
                region_name="eu-west-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",
            ),
        )


@pytest.fixture(scope="module")
def api(filled_local: Place) -> Iterator[Function]:
    """One warm function for the tests that leave it as it is."""
    environment = {
        "CM_DB_PATH": filled_local.reading.db_path,
        "CM_CORS_ORIGINS": "https://metrics.example.org",
    }
    with lambda_runtime.started(API, environment) as function:
        yield function


def result_of(function: Function, event: dict[str, Any]) -> dict[str, Any]:
    outcome = function.invoke(event)
    assert not outcome.is_error, outcome.body
    body: dict[str, Any] = outcome.body
    return body


def test_one_function_handles_one_event_after_another(api: Function) -> None:
    first, second = (
        result_of(api, http_event("/api/v1/dashboard/weekly", query="weeks=2")) for _ in range(2)
    )
    assert (first["statusCode"], second["statusCode"]) == (200, 200)
    assert second["headers"]["cache-status"] == "community-metrics; hit"
    assert json.loads(first["body"])["grain"] == "week"
    assert first["body"] == second["body"]


def test_health_is_exactly_ok(api: Function) -> None:
    result = result_of(api, http_event("/api/v1/health"))
    assert (result["statusCode"], result["body"], result["isBase64Encoded"]) == (
        200,
        '{"status":"ok"}',
        False,
    )


@pytest.mark.parametrize(
    "event",
    [
        http_event("/api/v1/definitions", domain="x.execute-api.eu-west-1.amazonaws.com"),
        http_event("/api/v1/definitions", stage="prod", domain="x.execute-api.eu-west-1.amazonaws.com"),
        function_url_event("/api/v1/definitions"),
    ],
    ids=["default stage", "named stage", "function URL"],
)
def test_stages_and_function_urls_reach_the_same_routes(api: Function, event: dict[str, Any]) -> None:
    assert result_of(api, event)["statusCode"] == 200


@pytest.mark.parametrize("stage", ["$default", "prod", "api", "v1", "health"])
@pytest.mark.parametrize("before", ["", "/{stage}", "/mapping", "/mapping/key", "/api", "/api/{stage}"])
def test_a_route_is_found_behind_any_stage_and_mapping_key(api: Function, stage: str, before: str) -> None:
    event = http_event("/api/v1/health", stage=stage)
    event["requestContext"]["http"]["path"] = before.format(stage=stage) + "/api/v1/health"
    assert result_of(api, event)["statusCode"] == 200


@pytest.mark.parametrize(
    ("path", "status", "location"),
    [
        ("/prod", 307, "api/v1/docs"),
        ("/prod/", 307, "api/v1/docs"),
        ("/", 307, "api/v1/docs"),
        ("", 307, "api/v1/docs"),
        ("/mapping/docs", 308, "api/v1/docs"),
        ("/prod/openapi.json", 308, "api/v1/openapi.json"),
        ("/prod/nothing", 404, None),
        ("/production/", 404, None),
        ("/api/v2/health", 404, None),
        ("//elsewhere.example/..", 404, None),
    ],
)
def test_a_path_that_is_no_route_is_answered_below_the_stage(
    api: Function, path: str, status: int, location: str | None
) -> None:
    event = http_event("/", stage="prod")
    event["requestContext"]["http"]["path"] = path
    result = result_of(api, event)
    assert (result["statusCode"], result["headers"].get("location")) == (status, location)


REQUEST = http_event("/api/v1/health")
AROUND = REQUEST["requestContext"]
NO_REQUESTS: dict[str, Any] = {
    "empty": {},
    "null": None,
    "a list": [],
    "a word": "warm",
    "a warmer": {"source": "serverless-plugin-warmup"},
    "another warmer": {"warmer": True, "concurrency": 3},
    "EventBridge": {"version": "0", "source": "aws.events", "detail-type": "Scheduled Event", "detail": {}},
    "SQS": {"Records": [{"eventSource": "aws:sqs", "body": "{}"}]},
    "a job": {"job": "weekly_refresh"},
    "null context": {**REQUEST, "requestContext": None},
    "empty context": {**REQUEST, "requestContext": {}},
    "websocket": {"requestContext": {"eventType": "CONNECT", "connectionId": "x"}},
    "null path": {**REQUEST, "requestContext": {**AROUND, "http": {"method": "GET", "path": None}}},
    "no method": {**REQUEST, "requestContext": {**AROUND, "http": {"path": "/"}}},
    "null method": {**REQUEST, "requestContext": {**AROUND, "http": {"method": None, "path": "/"}}},
    "headers in a list": {**REQUEST, "headers": [["host", "x"]]},
    "a number as header": {**REQUEST, "headers": {"accept": 5}},
    "two ports": {**REQUEST, "headers": {"host": "a:b:c"}},
    "a port that is no number": {**REQUEST, "headers": {"host": "a:b"}},
    "half a character": {**REQUEST, "headers": {"accept": "\ud800"}},
}


@pytest.mark.parametrize("event", NO_REQUESTS.values(), ids=NO_REQUESTS)
def test_an_event_that_is_no_request_is_a_400_and_no_error(api: Function, event: Any) -> None:
    result = result_of(api, event)
    assert (result["statusCode"], result["isBase64Encoded"]) == (400, False)
    assert result["headers"]["content-type"] == "application/problem+json"
    assert "This event is not an HTTP request" in json.loads(result["body"])["detail"]
    assert result_of(api, http_event("/api/v1/health"))["statusCode"] == 200


@pytest.mark.parametrize(
    "change",
    [
        {"headers": None},
        {"headers": {}},
        {"headers": {"accept": None}},
        {"rawQueryString": None},
        {"cookies": None},
        {"body": "no base64", "isBase64Encoded": True},
        {"routeKey": None},
    ],
    ids=str,
)
def test_a_request_may_lack_what_no_route_reads(api: Function, change: dict[str, Any]) -> None:
    assert result_of(api, {**http_event("/api/v1/definitions"), **change})["statusCode"] == 200


def test_a_request_of_payload_format_1_reaches_the_same_routes(api: Function) -> None:
    event = {
        "version": "1.0",
        "resource": "/{proxy+}",
        "path": "/mapping/api/v1/health",
        "httpMethod": "GET",
        "headers": None,
        "multiValueHeaders": None,
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": {"stage": "prod", "path": "/prod/api/v1/health"},
        "body": None,
    }
    assert result_of(api, event)["statusCode"] == 200


def test_a_function_url_passes_on_query_and_tag(api: Function) -> None:
    first = result_of(api, function_url_event("/api/v1/dashboard/weekly", query="weeks=3"))
    tag = {"if-none-match": first["headers"]["etag"]}
    again = result_of(api, function_url_event("/api/v1/dashboard/weekly", query="weeks=3", headers=tag))
    assert len(json.loads(first["body"])["periods"]["week"]) == 3
    assert (again["statusCode"], again["body"]) == (304, "")


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_a_redirect_to_the_docs_keeps_the_stage(api: Function, path: str) -> None:
    result = result_of(api, http_event(path, stage="prod"))
    assert (result["statusCode"], result["headers"]["location"]) == (308, f"api/v1{path}")


def test_a_body_with_a_matching_tag_is_a_304(api: Function) -> None:
    etag = result_of(api, http_event("/api/v1/definitions"))["headers"]["etag"]
    result = result_of(api, http_event("/api/v1/definitions", headers={"if-none-match": f"W/{etag}"}))
    assert (result["statusCode"], result["body"], result["headers"]["etag"]) == (304, "", etag)


def test_head_has_no_body(api: Function) -> None:
    result = result_of(api, http_event("/api/v1/definitions", method="HEAD"))
    assert (result["statusCode"], result["body"]) == (200, "")
    assert int(result["headers"]["content-length"]) > 1_000


def test_csv_is_text(api: Function) -> None:
    event = http_event(f"/api/v1/series/{PYTHON}", headers={"accept": "text/csv"})
    result = result_of(api, event)
    assert result["isBase64Encoded"] is False
    assert result["body"].startswith("metric_id,unit,week,")


def test_parquet_is_complete_through_base64(api: Function) -> None:
    result = result_of(api, http_event("/api/v1/export/metrics.parquet"))
    assert result["isBase64Encoded"] is True
    table = pyarrow.parquet.read_table(io.BytesIO(base64.b64decode(result["body"])))
    assert PYTHON in table.column("metric_id").to_pylist()


def test_an_error_is_a_problem_in_plain_text(api: Function) -> None:
    result = result_of(api, http_event("/api/v1/series/nothing"))
    assert (result["statusCode"], result["isBase64Encoded"]) == (404, False)
    assert json.loads(result["body"])["type"].endswith("#unknown-metric")


def test_secrets_are_read_once_per_cold_start(
    filled_enterprise: Place, secrets_manager: tuple[str, Any]
) -> None:
    url, client = secrets_manager
    token = new_token()
    settings = filled_enterprise.reading
    client.create_secret(Name="cm/read-key", SecretString=READ_KEY)
    client.create_secret(Name="cm/hashes", SecretString=token_hash(token))
    client.create_secret(Name="cm/no-value")
    environment = {
        "AWS_ENDPOINT_URL": url,
        "CM_STORAGE_MODE": "enterprise",
        "CM_LANCEDB_URI": str(settings.lancedb_uri),
        "CM_LANCEDB_HOST_OVERRIDE": str(settings.lancedb_host_override),
        "CM_CORS_ORIGINS": "https://metrics.example.org",
        "CM_LANCEDB_API_KEY_SECRET": "cm/read-key",
        "CM_API_TOKEN_HASHES_SECRET": "cm/hashes",
        "CM_GITHUB_TOKEN_SECRET": "cm/no-value",
    }
    event = http_event("/api/v1/definitions", headers={"authorization": f"Bearer {token}"})
    with lambda_runtime.started(API, environment) as function:
        first = result_of(function, event)
        client.delete_secret(SecretId="cm/read-key", ForceDeleteWithoutRecovery=True)
        second = result_of(function, event)
        rejected = result_of(function, http_event("/api/v1/definitions"))
    assert (first["statusCode"], second["statusCode"], rejected["statusCode"]) == (200, 200, 401)


def test_a_missing_secret_is_a_clear_error(secrets_manager: tuple[str, Any]) -> None:
    environment = {
        "AWS_ENDPOINT_URL": secrets_manager[0],
        "CM_STORAGE_MODE": "enterprise",
        "CM_LANCEDB_URI": "db://x",
        "CM_LANCEDB_API_KEY_SECRET": "cm/never-put",
    }
    with lambda_runtime.started(API, environment) as function:
        outcome = function.invoke(http_event("/api/v1/health"))
    assert outcome.is_error
    assert "CM_LANCEDB_API_KEY_SECRET: cm/never-put: not found" in outcome.body["errorMessage"]


@pytest.fixture
def run_job(tmp_path: Path) -> Iterator[Callable[[dict[str, Any]], lambda_runtime.Outcome]]:
    """Send one event to the jobs; the registries are a port where nobody listens."""
    nobody = "http://127.0.0.1:9"
    environment = {
        "CM_DB_PATH": str(tmp_path / "jobs.lancedb"),
        **{f"CM_SOURCE_URL_{name.upper()}": nobody for name in HOSTS},
    }
    with lambda_runtime.started(JOBS, environment) as function:
        yield function.invoke


def test_a_job_tells_how_it_ended(run_job: Callable[[dict[str, Any]], lambda_runtime.Outcome]) -> None:
    first, again = run_job({"job": "seed_from_csv"}), run_job({"job": "seed_from_csv"})
    assert (first.is_error, first.body["status"]) == (False, "success")
    assert first.body["rows_inserted"] > 0
    assert (again.body["rows_inserted"], again.body["rows_unchanged"]) == (0, first.body["rows_inserted"])


def test_a_failed_run_raises_so_that_lambda_counts_it(
    run_job: Callable[[dict[str, Any]], lambda_runtime.Outcome],
) -> None:
    outcome = run_job({"job": "weekly_refresh", "lookback_weeks": 1, "only": ["downloads:lance:rust"]})
    assert (outcome.is_error, outcome.body["errorType"]) == (True, "JobFailed")
    assert "downloads:lance:rust" in outcome.body["errorMessage"]


def test_an_unknown_job_is_a_clear_failure(
    run_job: Callable[[dict[str, Any]], lambda_runtime.Outcome],
) -> None:
    outcome = run_job({"job": "weekly_refesh"})
    assert (outcome.is_error, outcome.body["errorType"]) == (True, "ConfigurationError")
    assert "This event starts no job:" in outcome.body["errorMessage"]
    assert "'weekly_refresh', 'update_all'" in outcome.body["errorMessage"]


def test_a_job_writes_with_the_key_that_secrets_manager_has(
    enterprise: Enterprise, secrets_manager: tuple[str, Any]
) -> None:
    url, client = secrets_manager
    settings = enterprise_place(enterprise).writing
    client.create_secret(Name="cm/write-key", SecretString=WRITE_KEY)
    environment = {
        "AWS_ENDPOINT_URL": url,
        "CM_STORAGE_MODE": "enterprise",
        "CM_LANCEDB_URI": str(settings.lancedb_uri),
        "CM_LANCEDB_HOST_OVERRIDE": str(settings.lancedb_host_override),
        "CM_LANCEDB_API_KEY_SECRET": "cm/write-key",
    }
    with lambda_runtime.started(JOBS, environment) as function:
        first, again = (function.invoke({"job": job}) for job in ("bootstrap_tables", "seed_from_csv"))
    assert (first.is_error, again.is_error, again.body["status"]) == (False, False, "success")
    assert again.body["rows_inserted"] > 0
    assert {entry.headers["x-api-key"] for entry in enterprise.log} == {WRITE_KEY}


@pytest.mark.parametrize(
    "event",
    [
        {"job": "weekly_refresh", "lookback_weeks": 1, "only": ["downloads:*"]},
        {"job": "update_all", "lookback_weeks": 520, "retire": True},
        {"job": "seed_from_csv", "only": ["stars:*"], "include_suspect": True},
        {"job": "bootstrap_tables"},
        {"job": "replay", "day": "2026-11-20", "only": ["stars:*"]},
        {"job": "monitor"},
        {"job": "deliver"},
        {"job": "backup"},
        {"job": "restore_drill"},
    ],
)
def test_an_event_with_the_options_of_its_job_starts_it(event: dict[str, Any]) -> None:
    assert job_of(event).name == event["job"]


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (
            {"job": "weekly_refresh", "lookback_weeks": True},
            "lookback_weeks: Input should be a valid integer",
        ),
        ({"job": "weekly_refresh", "lookback_weeks": "1"}, "lookback_weeks: Input should be a valid integer"),
        ({"job": "weekly_refresh", "lookback_weeks": 1.0}, "lookback_weeks: Input should be a valid integer"),
        ({"job": "seed_from_csv", "include_suspect": "yes"}, "include_suspect"),
        ({"job": "deliver", "again": "x"}, r"deliver has no option again; remove it .*this job: none"),
        ({"job": "backup", "target": "s3://x"}, r"backup has no option target; remove it .*this job: none"),
        ({"job": "monitor", "only": ["x"]}, r"monitor has no option only; remove it .*this job: none"),
        (
            {"job": "seed_from_csv", "lookback_weeks": 1},
            r"seed_from_csv has no option lookback_weeks; remove it .*include_suspect, only",
        ),
        ({"job": "update_all", "include_suspect": True}, "update_all has no option include_suspect"),
        ({"job": "weekly_refesh"}, "weekly_refresh"),
        ({"job": ["weekly_refresh"]}, "it must be one of"),
        ({"job": "bootstrap_tables", "reset": True}, "bootstrap_tables has no option reset"),
        ({"job": "seed_from_csv", "path": "/etc/passwd"}, "seed_from_csv has no option path"),
        ({"job": "weekly_refresh", "only": "downloads:*"}, "only: Input should be a valid"),
        ({}, "job is None; it must be one of 'seed_from_csv'"),
        ({"job": "weekly_refresh", "lookback_weeks": 0}, "lookback_weeks"),
        (
            {"job": "weekly_refresh", "lookback": 1},
            "weekly_refresh has no option lookback; remove it .*lookback_weeks, only",
        ),
        ("weekly_refresh", "job is None"),
    ],
)
def test_an_event_that_starts_no_job_says_what_is_wrong(event: object, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        job_of(event)
