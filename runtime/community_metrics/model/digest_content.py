"""What a digest says: everything that its formats show, as data that is stored and read back whole."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from community_metrics.model.digest_charts import DigestChart, DigestShare
from community_metrics.model.digest_part import Part
from community_metrics.model.events import EventKind
from community_metrics.model.insights import InsightKind
from community_metrics.model.kinds import ValueKind, Visibility


class ScoreChange(Part):
    """The change of a value from an earlier period; months and quarters by their daily mean."""

    absolute: int
    """In the unit of the value."""
    fraction: float
    """Of the earlier value: 0.05 is 5 % up."""


class ScoreStars(Part):
    """Stars at the end of the period."""

    value: int
    """Their sum over `included` repositories."""
    change: ScoreChange | None
    """In the period; null where a repository was not read at both ends."""
    included: int
    """Repositories that were read at the end of the period."""
    repositories: int
    """How many there are."""


class Score(Part):
    """One product in the period, or all of them together."""

    product: str | None
    """Id of the product; null for all together."""
    name: str
    """Its display name."""
    unit: str | None
    """What is counted; null where nothing of it adds up."""
    value: int | None
    """The sum over the complete series; null where none is complete."""
    is_estimated: bool
    """Whether the value is an estimate, because no series is complete; it has no change."""
    is_complete: bool
    """Whether every series is complete."""
    change: ScoreChange | None
    """From the period before; null unless every series is complete in both."""
    year_on_year: ScoreChange | None
    """From a year earlier; null unless every series is complete in both."""
    complete: int
    """How many series are complete."""
    series: int
    """How many there are, without those in `left_out`."""
    lacking: tuple[str, ...]
    """Ids of the series that are not complete, which are not in the sum."""
    left_out: tuple[str, ...]
    """Ids of the series that have failed for more than two weeks, which are not in the sum."""
    level_break: date | None
    """Day of the change of counting that a change would cross, and so is null."""
    stars: ScoreStars | None
    """Its stars; null where none were read at the end of the period."""
    link: str
    """Path of the API that has the numbers."""
    page: str
    """Path of the page that shows them."""


class Sentence(Part):
    """A sentence about the data, with the path of the API that has its numbers."""

    text: str
    """The sentence."""
    metric_ids: tuple[str, ...]
    """The metrics that it is about."""
    link: str
    """Path of the API."""


class Finding(Part):
    """An insight, as `/insights` had it."""

    kind: InsightKind
    """What it is about."""
    rule: str
    """Id of the rule that made it, one of the digest's `rules`."""
    importance: int
    """Size of the effect in `unit`."""
    unit: str
    """What `importance` counts."""
    product: str | None
    """The product; null for several."""
    metric_ids: tuple[str, ...]
    """The metrics that it is about."""
    sentence: str
    """The insight in plain English, made of its numbers."""
    numbers: dict[str, Any]
    """The numbers that it rests on, in the shape that `/insights` has for its kind."""
    link: str
    """Path of the API that has these numbers."""


class Happening(Part):
    """What a source states of a day; the releases of a product on one day are one."""

    day: date
    """The UTC day."""
    kind: EventKind
    """What happened."""
    product: str | None
    """Id of the product; null: it is about all of them."""
    product_name: str | None
    """Its display name."""
    titles: tuple[str, ...]
    """What the sources call it, each name once."""
    places: int
    """In how many places it was read."""
    url: str | None
    """The page of the first of them."""
    origins: tuple[str, ...]
    """Where it was read."""
    metric_ids: tuple[str, ...]
    """The metrics whose sources state it; empty where it is of no metric."""


class DigestNote(Part):
    """What a person says happened: a cause that somebody names, not one that was measured."""

    day: date
    """The UTC day."""
    title: str
    """What happened, in the person's words."""
    author: str
    """Who says it."""
    product: str | None
    """Id of the product; null: it is about all of them."""
    product_name: str | None
    """Its display name."""
    url: str | None
    """A page about it."""


class GoalLine(Part):
    """Where a goal stood when the digest was made."""

    name: str
    """What the goal is called."""
    product: str
    """The product."""
    metric_ids: tuple[str, ...]
    """The metrics that it is about."""
    progress: str
    """`reached`, `on_track`, `behind`, `missed` or `unknown`."""
    sentence: str
    """Where it stood, in plain English."""
    rule: str
    """Id of the rule, one of the digest's `rules`."""
    link: str
    """Path of the API that has the numbers."""


class SeriesValue(Part):
    """The value of one series in the period, with which the next digest compares."""

    metric_id: str
    """Id of the metric."""
    name: str
    """Its display name."""
    source: str
    """Where it is read."""
    unit: str
    """What is counted."""
    kind: ValueKind
    """How its values combine."""
    value: int | None
    """Null where the period is not complete."""


class Correction(Part):
    """A value of the last digest that is another one by now, or a milestone of it that no longer holds."""

    metric_id: str
    """Id of the metric."""
    mark: int | None
    """The round number that is no longer passed; null for a value of the period."""
    said: int | None
    """What the last digest had; null where the period was not complete then."""
    now: int | None
    """What is stored now; null where the period is no longer complete."""
    sentence: str
    """The same in plain English."""
    link: str
    """Path of the API that has the numbers."""


class SinceLast(Part):
    """What has changed since the last digest of the same products."""

    digest_id: str
    """The last digest."""
    period: str
    """The period that it is about."""
    corrections: tuple[Correction, ...]
    """Milestones that are no longer passed, then values that changed, the largest difference first."""
    rules: tuple[str, ...]
    """Ids of the rules that changed in the meantime."""
    unchecked: int
    """Values of that digest that nothing can be compared with: too old, or of a series that is gone."""


class RuleOf(Part):
    """A rule that sentences of the digest were made by."""

    rule_id: str
    """Its id."""
    version: str
    """Changes with the text or a parameter of the rule."""
    text: str
    """What it says."""
    link: str
    """The page that explains it."""


class Digest(Part):
    """A week, a month or a quarter as it was stored, frozen."""

    schema_version: Literal[1] = 1
    """The version of this document."""
    digest_id: str
    """Its name in addresses: `2026-W47`, `2026-10-team`."""
    name: str | None
    """What the catalogue calls all products together."""
    grain: Literal["week", "month", "quarter"]
    """Length of the period."""
    period: str
    """The period: `2026-W47`, `2026-11` or `2026-Q4`."""
    period_start: date
    """First UTC day of the period."""
    period_end: date
    """Last UTC day of the period, inclusive."""
    products: tuple[str, ...]
    """The products that it is about; empty for all."""
    visibility: Visibility
    """Who may see it."""
    made_at: datetime
    """When its numbers were read."""
    is_sample: bool
    """Whether the numbers are invented for a demo."""
    is_over: bool
    """Whether the period was over."""
    is_complete: bool
    """Whether the period was over and every series complete."""
    complete: int
    """Series that are complete in the period."""
    series: int
    """Series that the values are sums of."""
    first_line: str
    """What it is about, and whether that is complete."""
    headline: str | None
    """The total in plain English; null where nothing is complete."""
    total: Score | None
    """All products' downloads; null where no product has any."""
    scores: tuple[Score, ...]
    """The products, the largest first; those with downloads before those that count something else."""
    findings: tuple[Finding, ...]
    """What changed, by kind and importance."""
    happenings: tuple[Happening, ...]
    """What sources state about days of the period, by day."""
    has_more_events: bool
    """Whether the period has so many events that none is listed."""
    notes: tuple[DigestNote, ...]
    """What people say about days of the period, by day."""
    goals: tuple[GoalLine, ...]
    """Where the goals stood."""
    unknown: tuple[Sentence, ...]
    """What is not known."""
    restated: tuple[Finding, ...]
    """Settled values that sources changed since the period began."""
    since_last: SinceLast | None
    """What has changed since the last digest; null for the first."""
    values: tuple[SeriesValue, ...]
    """Every series of the scores, by id."""
    charts: tuple[DigestChart, ...]
    """What its slides draw: the total, the largest products, stars; empty while the period goes on."""
    shares: tuple[DigestShare, ...]
    """The parts of the total by SDK, the largest first."""
    rules: tuple[RuleOf, ...]
    """The rules behind the sentences, by id."""
    table_versions: dict[str, int]
    """The versions of the tables that it was read from."""
    link: str
    """Path of the API that has the insights of the period."""
    page: str
    """Path of the page that shows the period."""
    page_url: Annotated[str | None, Field(description="Where the page was; null where no setting said so.")]
    api_url: Annotated[str | None, Field(description="Where the API was; null where no setting said so.")]
