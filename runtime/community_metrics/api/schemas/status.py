"""How the collecting goes: metrics, runs, restated values."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from community_metrics.api.schemas.base import Body, Freshness
from community_metrics.api.schemas.points import Dispute


class Failure(Body):
    """Metrics that failed for one cause."""

    cause: str
    """The error that they have in common: host, HTTP status, detail."""
    error_class: str
    """The kind of error: `SourceUnreachable`, `UnknownSubject`, …"""
    url: str | None
    """The address that failed, only its origin for several addresses; null when no request failed."""
    metric_ids: tuple[str, ...]
    """Ids of the metrics."""
    message: str
    """Cause and metrics in one line."""


class RunRecord(Body):
    """One execution of a job."""

    run_id: str
    """Id of the run."""
    job_name: str
    """The job: `daily_refresh`, `weekly_refresh`, `update_all`, `seed_from_csv`, …"""
    state: Literal["running", "success", "partial", "failed", "abandoned"]
    """State of the run; `abandoned`: it never ended, and its lease on the database expired."""
    started_at: datetime
    """When it began."""
    finished_at: datetime | None
    """When it ended; null while it has not."""
    rows_inserted: int | None
    """Observations that were new; null where some may be of metrics that only the team may see."""
    rows_updated: int | None
    """Observations that were stored with another value, status or provenance; null like `rows_inserted`."""
    rows_unchanged: int | None
    """Observations that were stored already, and were not written; null like `rows_inserted`."""
    window_start: date | None
    """First day that the run requested or read; null like `rows_inserted`, and for jobs that read no days."""
    window_end: date | None
    """Last day that the run requested or read; null like `window_start`."""
    error_summary: str | None
    """The errors, one line for each cause; null: none, or only the team may see them. For display only."""
    failures: list[Failure]
    """The errors, one entry for each cause."""
    scope: str | None
    """The metrics or globs it was narrowed to, comma separated; null: none, or only the team may see them."""
    metrics_left: int | None
    """Metrics that it did not reach, and the next run reads first; null for jobs that read no registry."""


class History(Body):
    """Runs, newest first."""

    runs: list[RunRecord]
    """Up to `limit` runs."""
    next_before: datetime | None
    """Value of `before` for the next page; null on the last one."""
    freshness: Freshness
    """How fresh the data are."""


class MetricStatus(Body):
    """How fresh and how complete one metric is."""

    metric_id: str
    """Id of the metric."""
    source: str
    """Where it is read."""
    newest_day: date | None
    """Newest stored UTC day; null when nothing is stored."""
    published_through: date | None
    """Last day that its source is known to have published; null for a level and for seed files."""
    missing_days: list[date]
    """Days of the last 12 weeks that its source has published and that are not stored, oldest first."""
    observed_at: datetime | None
    """When its newest value was read."""
    last_error: str | None
    """The error of the last run that collected it; null when there was none."""
    visibility: Literal["public", "team"]
    """Who may see it: everybody, or only who sends an accepted token."""


class PlaceStatus(Body):
    """How the reading of a place that states events went."""

    place_id: str
    """Id of the place: `feed/` or `mention/` and the id of its entry, or `releases/` and what is released."""
    read_at: datetime | None
    """When it was last read; null when it never was."""
    last_error: str | None
    """The error of the last run that read it; null when there was none."""
    visibility: Literal["public", "team"]
    """Who may see it: everybody, or only who sends an accepted token."""


class Loss(Body):
    """What a metric loses next, because its source keeps a value only for some days."""

    metric_id: str
    """Id of the metric."""
    unread_day: date
    """Last UTC day of its oldest value that was not read; today or later when every older one was."""
    lost_on: date
    """Last UTC day on which the source returns that value; it is lost when this day is over."""
    vanishes_at: datetime
    """The instant at which it is lost: the midnight after `lost_on`."""
    lost_days: list[date]
    """Days that are lost for good, oldest first: the source dropped them unread in the last 12 weeks."""


class DeliveryRecord(Body):
    """What became of the digest of one period for one target."""

    grain: Literal["week", "month", "quarter"]
    """Length of the period."""
    period: str
    """The period: `2026-W47`, `2026-11`, `2026-Q4`."""
    state: Literal["sending", "sent", "failed", "unknown"]
    """How far it came; `failed` has a next attempt or is given up, `unknown` is not sent again by itself."""
    may_have_arrived: bool
    """Whether an attempt ended without an answer that excludes that the digest arrived."""
    attempts: int
    """How many runs tried."""
    first_attempt_at: datetime
    """When the first attempt began."""
    last_attempt_at: datetime
    """When the last attempt ended, or began, while it is `sending`."""
    next_attempt_at: datetime | None
    """When it is tried again; null: it is not."""
    message: str | None
    """The cause of the last error, or what the target left out; no address and no setting is in it."""


class WaitingDigest(Body):
    """A digest that is due, and that no run tried to send."""

    grain: Literal["week", "month", "quarter"]
    """Length of the period."""
    period: str
    """The period: `2026-W47`, `2026-11`, `2026-Q4`."""
    final_at: datetime
    """Until then it waits for a complete period, later the next run sends it as it is."""


class NeverSentDigest(Body):
    """A digest that was due, that no run tried to send, and that no run sends by itself any more."""

    grain: Literal["week", "month", "quarter"]
    """Length of the period."""
    period: str
    """The period: `2026-W47`, `2026-11`, `2026-Q4`."""


class DeliveryStatus(Body):
    """Which digests one target of the catalogue received, and which it did not."""

    delivery_id: str
    """Id of the target."""
    to: Literal["slack", "email", "webhook"]
    """Where they are sent. No address is in the status, of a web target or of an e-mail."""
    last: DeliveryRecord | None
    """The newest delivery; null before the first one."""
    not_arrived: list[DeliveryRecord]
    """Older ones that were not sent, or may not have arrived, newest first, for five weeks at most."""
    waiting: list[WaitingDigest]
    """What is due and was not tried yet: the period is not complete, or the target lacks a setting."""
    never_sent: list[NeverSentDigest]
    """What was due and never tried, newest first, for five weeks; before the first delivery the newest."""


class ServiceStatus(Body):
    """How the collecting goes."""

    last_success_at: datetime | None
    """When the last run that collected every metric without an error ended; null when there was none."""
    is_stale: bool
    """Whether a source is stale; `freshness` has which, and since when."""
    metrics: list[MetricStatus]
    """Every metric that is shown, in the order of the catalogue."""
    failures: list[Failure]
    """The last errors of these metrics, one entry for each cause."""
    losses: list[Loss]
    """What these metrics lose next, the first loss first; a metric whose source keeps everything has none."""
    places: list[PlaceStatus]
    """Every feed and mention of the catalogue, and each place of releases whose last reading failed."""
    disputes: list[Dispute]
    """Days of the last five weeks that a second witness counts otherwise, by metric and day."""
    deliveries: list[DeliveryStatus] | None
    """Each target of digests, in the order of the catalogue; null without an accepted token."""
    runs: list[RunRecord]
    """The last ten runs, newest first."""
    freshness: Freshness
    """How fresh the data are."""


class Restatement(Body):
    """A value that a registry changed after it was stored."""

    metric_id: str
    """Id of the metric."""
    period_start: date
    """First UTC day the value covers."""
    period_end: date
    """Last UTC day the value covers."""
    first_value: int
    """What was stored first."""
    value: int
    """What the registry returns now."""
    revision: int
    """How often it changed."""
    revised_at: datetime
    """When the last change was seen."""


class Restatements(Body):
    """Values that registries changed, last changed first."""

    restatements: list[Restatement]
    """Up to `limit` values."""
    has_more: bool
    """There are more; request a later `since`, one metric, or a higher `limit`."""
    freshness: Freshness
    """How fresh the data are."""
