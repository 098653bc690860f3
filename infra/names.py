"""Names that the stacks, the host's files and the runtime share.

These are the names without a stage. `DeploymentSettings.named` returns the name of a resource in its stage:
with `stage = "staging"`, `community-metrics-alarms` is `community-metrics-staging-alarms`.

A process gets the id of each of its secrets in an environment variable: `CM_LANCEDB_API_KEY_SECRET` is the id
of the Secrets Manager secret that holds `CM_LANCEDB_API_KEY`. A `_SECRET` variable never holds a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PRODUCT = "community-metrics"
API_LABEL = "metrics-api"  # the API is at https://metrics-api.<domain>
METRIC_NAMESPACE = "CommunityMetrics"
SECRET_ID_SUFFIX = "_SECRET"  # noqa: S105  the suffix of a variable's name
DATA_PREFIX = "lancedb"
CERTIFICATES_PREFIX = "certificates"
BACKUP_PREFIX = "backups"
IMAGE_REPOSITORY = PRODUCT
CATALOG_PATH = "/etc/community-metrics/catalog.toml"  # on the host and in the Lambda image
HEALTH_PATH = "/api/v1/health"
HEALTHY_BODY = '"status":"ok"'  # FastAPI's JSON is compact; Route 53 searches the first 5,120 bytes
HEALTH_REGION = "us-east-1"  # Route 53 publishes the metrics of its checks there and nowhere else


class Reader(StrEnum):
    """Who reads secrets: the API reads the database, the jobs write it, the deliveries send digests.

    On the host each is a process of its own. In Lambda the function of the jobs sends the digests too.
    """

    API = "api"
    JOBS = "jobs"
    DELIVER = "deliver"


FUNCTIONS = {Reader.API: (Reader.API,), Reader.JOBS: (Reader.JOBS, Reader.DELIVER)}
"""The Lambda functions, and whose secrets each of them reads."""


@dataclass(frozen=True, slots=True)
class SecretEntry:
    """One secret in Secrets Manager: its name, its setting, its readers, and whether it is required."""

    key: str
    variable: str
    readers: tuple[Reader, ...]
    enterprise_only: bool
    required: bool
    description: str

    @property
    def name(self) -> str:
        """The name in Secrets Manager, such as `community-metrics/lancedb-read-key`."""
        return f"{PRODUCT}/{self.key}"

    @property
    def id_variable(self) -> str:
        """The variable that holds the name, such as `CM_LANCEDB_API_KEY_SECRET`."""
        return f"{self.variable}{SECRET_ID_SUFFIX}"

    @property
    def is_of_deliveries(self) -> bool:
        """Whether only the deliveries read it, so that a deployment without them has no such secret."""
        return self.readers == (Reader.DELIVER,)


_WRITERS = (Reader.JOBS, Reader.DELIVER)
_ALL = (Reader.API, *_WRITERS)
SECRETS = (
    SecretEntry(
        "lancedb-read-key", "CM_LANCEDB_API_KEY", (Reader.API,), True, True, "LanceDB key, read-only"
    ),
    SecretEntry(
        "lancedb-write-key", "CM_LANCEDB_API_KEY", _WRITERS, True, True, "LanceDB key, read and write"
    ),
    SecretEntry("lancedb-uri", "CM_LANCEDB_URI", _ALL, True, True, "LanceDB database, db://<name>"),
    SecretEntry(
        "lancedb-endpoint",
        "CM_LANCEDB_HOST_OVERRIDE",
        _ALL,
        True,
        False,
        "Endpoint of a private LanceDB cluster, https://<host>; leave unset for LanceDB's own",
    ),
    SecretEntry(
        "github-token", "CM_GITHUB_TOKEN", (Reader.JOBS,), False, False, "GitHub token without scopes"
    ),
    SecretEntry(
        "api-token-hashes",
        "CM_API_TOKEN_HASHES",
        (Reader.API,),
        False,
        False,
        "SHA-256 of accepted API tokens, comma separated; leave unset for public reads",
    ),
    SecretEntry(
        "delivery",
        "CM_DELIVERY",
        (Reader.DELIVER,),
        False,
        False,
        "Addresses and keys of the targets of digests, a JSON object of setting and value",
    ),
)


class Gauge(StrEnum):
    """The gauges in our CloudWatch namespace; each stage has its own namespace."""

    AGE_OF_LAST_SUCCESS_H = "AgeOfLastSuccessHours"
    FAILED_RUNS = "FailedRuns"
    BAD_RUNS_IN_A_ROW = "BadRunsInARow"
    STALE_SOURCES = "StaleSources"
    PUBLISHED_THROUGH_AGE_DAYS = "PublishedThroughAgeDays"
    HOURS_UNTIL_LOSS = "HoursUntilLoss"
    BACKUP_AGE_H = "BackupAgeHours"
    RESTORE_FAILED = "RestoreFailed"
    CERTIFICATE_LIFETIME_LEFT = "CertificateLifetimeLeftPercent"
    DISK_USED = "DiskUsedPercent"
    MEMORY_USED = "MemoryUsedPercent"
    READY = "Ready"
    SERVER_ERRORS = "ServerErrors"


class LogGroup(StrEnum):
    """The log groups; a role can write to its own only."""

    BOOT = f"/{PRODUCT}/host/boot"
    HOST_API = f"/{PRODUCT}/host/api"
    HOST_JOBS = f"/{PRODUCT}/host/jobs"
    HOST_SYSTEM = f"/{PRODUCT}/host/system"
    LAMBDA_API = f"/{PRODUCT}/lambda/api"
    LAMBDA_JOBS = f"/{PRODUCT}/lambda/jobs"
    HTTP_API = f"/{PRODUCT}/http-api"


HOST_LOG_GROUPS = (LogGroup.BOOT, LogGroup.HOST_API, LogGroup.HOST_JOBS, LogGroup.HOST_SYSTEM)
# the log groups of the journal with `ship_logs = true`, by their key in `infra/host/ship_logs.py`
JOURNAL_GROUPS = {"api": LogGroup.HOST_API, "jobs": LogGroup.HOST_JOBS, "system": LogGroup.HOST_SYSTEM}


class StackName(StrEnum):
    """The stacks, in the order in which they are deployed."""

    SECRETS = f"{PRODUCT}-secrets"
    STORAGE = f"{PRODUCT}-storage"
    MONITORING = f"{PRODUCT}-monitoring"
    HOST = f"{PRODUCT}-host"
    SERVERLESS = f"{PRODUCT}-serverless"
    DNS = f"{PRODUCT}-dns"
    HEALTH = f"{PRODUCT}-health"
    PIPELINE = f"{PRODUCT}-pipeline"


def secrets_for(storage: str, *readers: Reader, delivery: bool = False) -> tuple[SecretEntry, ...]:
    """Return the secrets of a deployment with this storage, with or without `delivery`.

    With readers, only those that one of them reads.
    """
    return tuple(
        entry
        for entry in SECRETS
        if (storage == "enterprise" or not entry.enterprise_only)
        and (delivery or not entry.is_of_deliveries)
        and (not readers or not set(readers).isdisjoint(entry.readers))
    )


def staged(name: str, stage: str) -> str:
    """Return the name of a resource in a stage; an empty stage changes nothing."""
    return name.replace(PRODUCT, f"{PRODUCT}-{stage}", 1) if stage else name


def construct_id(name: str) -> str:
    """Return the construct id of a hyphenated name: `api-down` becomes `ApiDown`."""
    return "".join(word.capitalize() for word in name.split("-"))
